"""Adopt drift with a reason, or have it undone: refused when AWS has moved on, or when nothing brings it
back.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from iam.changes import services as changes
from iam.changes.drift import services
from iam.changes.drift.models import Drift, DriftState
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.runner import run
from iam.directory.models import Role
from iam.journal.models import Entry
from iam.mirror.models import Entity, Kind
from tests import factories
from tests.iam.changes.drift.conftest import Outside
from tests.iam.changes.operations.stage import Stage

pytestmark = pytest.mark.on_postgresql

READS = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
)
WRITES = READS.replace("GetObject", "PutObject")
OF_AWS = "arn:aws:iam::aws:policy/ReadOnlyAccess"


@pytest.fixture
def joined(outside: Outside) -> Drift:
    """Somebody added the user to the group by hand."""
    outside.scene.by_hand("AddUserToGroup")
    outside.seen(outside.scene.user)
    return outside.drift()


def undo(outside: Outside, drift: Drift, *, key: str = "form-1") -> list[Change]:
    return services.undo(drift, actor=outside.scene.requester, reason="Nobody asked", idempotency_key=key)


def test_adopting_needs_a_reason_and_is_in_the_journal(outside: Outside, joined: Drift) -> None:
    with pytest.raises(RefusedError, match="Enter a reason"):
        services.adopt([joined], actor=outside.scene.approver, reason="  ")
    assert services.adopt([joined], actor=outside.scene.approver, reason="Agreed by phone") == 1
    joined.refresh_from_db()
    assert (joined.state, joined.decided_label, joined.reason) == ("adopted", "Hana Sato", "Agreed by phone")
    entry = Entry.objects.get(kind="drift.adopted")
    assert (entry.subject, entry.data["reason"]) == (outside.scene.user.arn, "Agreed by phone")
    assert outside.scene.in_aws()


def test_what_is_decided_is_decided_once(outside: Outside, joined: Drift) -> None:
    services.adopt([joined], actor=outside.scene.approver, reason="Fine")
    with pytest.raises(RefusedError, match="already decided"):
        services.adopt([joined], actor=outside.scene.requester, reason="Not fine")
    with pytest.raises(RefusedError, match="already decided"):
        undo(outside, joined)
    joined.refresh_from_db()
    with pytest.raises(RefusedError, match="This was already decided: accepted"):
        undo(outside, joined, key="form-2")
    assert not Change.objects.exists()


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.MEMBER])
def test_who_only_looks_adopts_and_undoes_nothing(outside: Outside, joined: Drift, role: Role) -> None:
    looks = factories.viewer(role, name="Otto Audit")
    with pytest.raises(RefusedError, match="accept differences"):
        services.adopt([joined], actor=looks, reason="Fine")
    with pytest.raises(RefusedError):
        services.undo(joined, actor=looks, reason="No", idempotency_key="1")
    assert Drift.objects.get().state == DriftState.OPEN


def test_undoing_is_a_change_like_any_other_and_brings_back_how_it_was(
    outside: Outside, joined: Drift
) -> None:
    asked = undo(outside, joined)
    assert undo(outside, joined) == asked
    joined.refresh_from_db()
    assert joined.state == DriftState.UNDOING
    assert asked[0].state == ChangeState.AWAITING
    assert outside.scene.in_aws()
    outside.carry_out(asked)
    services.after_end(asked[0])
    joined.refresh_from_db()
    assert (joined.state, joined.decided_label) == ("undone", "Ines Duarte")
    assert not outside.scene.in_aws()
    outside.seen(outside.scene.user)
    assert Drift.objects.count() == 1


@pytest.mark.parametrize("is_told", [True, False], ids=["told of the end", "not told"])
def test_an_undo_that_is_rejected_leaves_it_to_be_decided(
    outside: Outside, joined: Drift, is_told: bool
) -> None:
    asked = undo(outside, joined)
    changes.reject(asked[0], actor=outside.scene.approver, comment="Let it be")
    asked[0].refresh_from_db()
    services.after_end(asked[0]) if is_told else services.settle_undoings()
    joined.refresh_from_db()
    assert (joined.state, joined.change_set_id) == (DriftState.OPEN, None)
    assert Entry.objects.filter(kind="drift.not_undone").count() == 1


def test_an_undo_that_aws_has_moved_past_is_refused_with_the_reason(outside: Outside, joined: Drift) -> None:
    outside.scene.by_hand("RemoveUserFromGroup")
    outside.seen(outside.scene.user)
    with pytest.raises(RefusedError, match="changed again since"):
        undo(outside, joined)
    assert not Change.objects.exists()


def test_an_undo_that_aws_moves_past_before_it_is_applied_changes_nothing(
    outside: Outside, joined: Drift
) -> None:
    asked = undo(outside, joined)[0]
    outside.scene.approve(asked)
    outside.scene.by_hand("RemoveUserFromGroup")
    outside.iam.delete_user(UserName=outside.scene.user.name)
    run(asked.pk)
    asked.refresh_from_db()
    assert (asked.state, asked.error_kind) == ("failed", "drift")


def _users_inline(outside: Outside, user: Entity) -> Any:
    try:
        answer = outside.iam.get_user_policy(UserName=user.name, PolicyName="extra")
    except ClientError:
        return None
    return answer["PolicyDocument"]


def _attached(outside: Outside, user: Entity) -> Any:
    answer = outside.iam.list_attached_user_policies(UserName=user.name)
    return [policy["PolicyArn"] for policy in answer["AttachedPolicies"]]


Act = Callable[[Outside, Entity], Any]
PUT: Act = lambda o, u: o.iam.put_user_policy(UserName=u.name, PolicyName="extra", PolicyDocument=READS)  # noqa: E731
REWRITE: Act = lambda o, u: o.iam.put_user_policy(  # noqa: E731
    UserName=u.name, PolicyName="extra", PolicyDocument=WRITES
)
DROP: Act = lambda o, u: o.iam.delete_user_policy(UserName=u.name, PolicyName="extra")  # noqa: E731
ATTACH: Act = lambda o, u: o.iam.attach_user_policy(UserName=u.name, PolicyArn=OF_AWS)  # noqa: E731
DETACH: Act = lambda o, u: o.iam.detach_user_policy(UserName=u.name, PolicyArn=OF_AWS)  # noqa: E731


@pytest.mark.parametrize(
    ("first", "by_hand", "look"),
    [
        (None, PUT, _users_inline),
        (PUT, REWRITE, _users_inline),
        (PUT, DROP, _users_inline),
        (ATTACH, DETACH, _attached),
    ],
    ids=["inline added", "inline changed", "inline removed", "detached"],
)
def test_aws_is_as_before_when_it_is_undone(scene: Any, first: Act | None, by_hand: Act, look: Act) -> None:
    stage, outside = Stage(scene), Outside(scene)
    user = stage.user()
    if first:
        first(outside, user)
    stage.read(Kind.USER, user.name)
    outside.watched()
    before = look(outside, user)
    by_hand(outside, user)
    assert look(outside, user) != before
    outside.seen(user)
    outside.carry_out(undo(outside, outside.drift()))
    assert look(outside, user) == before


def test_the_text_of_a_policy_comes_back_as_the_default(scene: Any) -> None:
    stage, outside = Stage(scene), Outside(scene)
    policy = stage.policy()
    outside.watched()
    outside.iam.create_policy_version(PolicyArn=policy.arn, PolicyDocument=WRITES, SetAsDefault=True)
    outside.seen(policy)
    outside.carry_out(undo(outside, outside.drift()))
    default = outside.iam.get_policy(PolicyArn=policy.arn)["Policy"]["DefaultVersionId"]
    shown = outside.iam.get_policy_version(PolicyArn=policy.arn, VersionId=default)["PolicyVersion"]
    assert json.loads(shown["Document"]) == json.loads(READS)


def test_several_differences_are_undone_as_one_set(outside: Outside) -> None:
    ATTACH(outside, outside.scene.user)
    PUT(outside, outside.scene.user)
    outside.scene.by_hand("AddUserToGroup")
    outside.seen(outside.scene.user)
    asked = undo(outside, outside.drift())
    assert len({change.change_set_id for change in asked}) == 1
    outside.carry_out(asked)
    user = outside.scene.user
    assert (_attached(outside, user), _users_inline(outside, user), outside.scene.in_aws()) == (
        [],
        None,
        False,
    )


def test_an_account_that_is_only_read_cannot_be_undone(outside: Outside, joined: Drift) -> None:
    outside.scene.account.source, outside.scene.account.role_arn = "role", "arn:aws:iam::1:role/r"
    outside.scene.account.save()
    joined.refresh_from_db()
    with pytest.raises(RefusedError, match="read-only"):
        undo(outside, Drift.objects.select_related("account", "entity").get())
