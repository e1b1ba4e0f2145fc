"""A receipt that takes something away names the recorded calls that would be denied."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from iam.changes import receipt_replay
from iam.changes.operations import (
    ATTACH_POLICY,
    DETACH_POLICY,
    REMOVE_FROM_GROUP,
    Attachment,
    Membership,
    Operation,
    PutInlinePolicy,
)
from iam.changes.operations.boundary import PutBoundary
from iam.changes.receipts import set_receipt_of
from iam.changes.services.deletion import deletion_of
from iam.mirror import snapshot
from iam.mirror.models import EdgeKind, Entity
from tests import factories
from tests.iam.activity.events import happened, identity_of, session_of

pytestmark = pytest.mark.django_db
LEDGER = "arn:aws:s3:::pay-ledger/a/b.csv"


def allow(action: str, resource: str = "*") -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture
def maya() -> Entity:
    """Maya reads by a policy of her own, and by a group."""
    account = factories.account()
    factories.synced(account)
    user = factories.user(account, "maya.okafor")
    group = factories.group(account, "payments")
    factories.edge(EdgeKind.MEMBER, user, group)
    factories.edge(EdgeKind.ATTACHED, user, factories.policy(account, "Reads", body=allow("s3:Get*")))
    keys = factories.policy(account, "Keys", body=allow("iam:List*"))
    factories.edge(EdgeKind.ATTACHED, group, keys)
    snapshot.forget()
    return user


def _ago(**age: float) -> Any:
    return timezone.now().replace(microsecond=0) - timedelta(**age)


def _replayed(*operations: Operation) -> Any:
    return set_receipt_of(operations)["impact"]["replay"]


def _detached(user: Entity, name: str = "Reads") -> Operation:
    policy = Entity.objects.get(name=name)
    return Attachment.of(DETACH_POLICY, user, policy=policy)


def test_the_calls_that_a_detached_policy_allowed_are_named(maya: Entity) -> None:
    latest = _ago(days=1)
    happened(identity_of(maya), at=_ago(days=3), times=3)
    happened(identity_of(maya), at=latest)
    happened(identity_of(maya), at=_ago(days=1), eventName="PutObject", errorCode="AccessDenied")
    happened(identity_of(maya), at=_ago(days=91))
    replay = _replayed(_detached(maya))
    assert (replay["calls"], replay["denied"], replay["undecided"]) == (5, 4, 0)
    (line,) = replay["lines"]
    assert (line["action"], line["resource"], line["calls"]) == ("s3:GetObject", LEDGER, 4)
    assert line["entity_id"] == maya.pk
    assert line["last"] == latest.isoformat()
    assert line["event"]


def test_what_another_policy_still_allows_is_not_named(maya: Entity) -> None:
    factories.inline(maya, "extra", body=allow("s3:GetObject", LEDGER))
    snapshot.forget()
    happened(identity_of(maya), at=_ago(days=3))
    happened(identity_of(maya), at=_ago(days=3), requestParameters={"bucketName": "other", "key": "x"})
    replay = _replayed(_detached(maya))
    assert (replay["calls"], replay["denied"]) == (2, 1)
    assert replay["lines"][0]["resource"] == "arn:aws:s3:::other/x"


def test_removal_from_a_group_counts(maya: Entity) -> None:
    listed = {"eventSource": "iam.amazonaws.com", "eventName": "ListUsers", "requestParameters": None}
    happened(identity_of(maya), at=_ago(days=3), **listed)
    group = Entity.objects.get(name="payments")
    replay = _replayed(Membership.of(REMOVE_FROM_GROUP, maya, group=group))
    assert replay["denied"] == 1


def test_a_boundary_that_leaves_something_out_counts(maya: Entity) -> None:
    boundary = factories.policy(maya.account, "OnlyIam", body=allow("iam:*"))
    snapshot.forget()
    happened(identity_of(maya), at=_ago(days=3))
    listed = {"eventSource": "iam.amazonaws.com", "eventName": "ListUsers", "requestParameters": None}
    happened(identity_of(maya), at=_ago(days=3), **listed)
    replay = _replayed(PutBoundary.of(maya, policy=boundary))
    assert (replay["calls"], replay["denied"], replay["undecided"]) == (2, 1, 0)


def test_a_deny_without_mfa_counts_and_what_the_event_does_not_tell_is_undecided(maya: Entity) -> None:
    role = factories.role(maya.account, "reader")
    factories.edge(EdgeKind.ATTACHED, role, Entity.objects.get(name="Reads"))
    snapshot.forget()
    for mfa in ("true", "false"):
        context = {"attributes": {"mfaAuthenticated": mfa}}
        happened(session_of(role, f"mfa-{mfa}", **context), at=_ago(days=2))
    happened(session_of(role, "untold"), at=_ago(days=2))
    text = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*", '
        '"Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}]}'
    )
    replay = _replayed(PutInlinePolicy.of(role, name="mfa", text=text))
    assert (replay["calls"], replay["denied"], replay["undecided"]) == (3, 1, 1)
    undecided = [line for line in replay["lines"] if line["outcome"] == "undecided"]
    assert undecided[0]["keys"] == ["aws:MultiFactorAuthPresent"]


def test_a_role_that_is_deleted_can_make_no_call(maya: Entity) -> None:
    role = factories.role(maya.account, "reader")
    factories.edge(EdgeKind.ATTACHED, role, Entity.objects.get(name="Reads"))
    snapshot.forget()
    happened(session_of(role), at=_ago(days=3), times=2)
    whoami = {"eventName": "GetCallerIdentity", "eventSource": "sts.amazonaws.com"}
    happened(session_of(role), at=_ago(days=3), **whoami)
    replay = _replayed(*deletion_of(role))
    assert (replay["calls"], replay["denied"]) == (3, 3)


def test_what_the_policies_of_today_deny_is_told_apart(maya: Entity) -> None:
    deny = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}
    factories.inline(maya, "deny", body={"Version": "2012-10-17", "Statement": [deny]})
    snapshot.forget()
    happened(identity_of(maya), at=_ago(days=3))
    replay = _replayed(_detached(maya))
    assert (replay["denied"], replay["denied_already"]) == (0, 1)


def test_without_events_nothing_is_counted_and_the_account_is_named(maya: Entity) -> None:
    replay = _replayed(_detached(maya))
    assert (replay["read"], replay["not_read"]) == ([], ["production"])


def test_a_receipt_that_only_gives_has_no_replay(maya: Entity) -> None:
    policy = factories.policy(maya.account, "More", body=allow("sqs:*"))
    snapshot.forget()
    assert _replayed(Attachment.of(ATTACH_POLICY, maya, policy=policy)) is None


def test_the_digest_of_a_receipt_does_not_depend_on_recorded_calls(maya: Entity) -> None:
    before = set_receipt_of([_detached(maya)])
    happened(identity_of(maya), at=_ago(days=3))
    after = set_receipt_of([_detached(maya)])
    assert before["impact"]["replay"] != after["impact"]["replay"]
    assert (
        before["digest"] == after["digest"] == set_receipt_of([_detached(maya)], with_replay=False)["digest"]
    )


def test_what_is_too_much_is_cut_and_said(maya: Entity, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        key = {"bucketName": "pay-ledger", "key": f"{number}"}
        happened(identity_of(maya), at=_ago(days=3 + number), times=4 - number, requestParameters=key)
    monkeypatch.setattr(receipt_replay, "DISTINCT", 3)
    monkeypatch.setattr(receipt_replay, "LINES", 2)
    replay = _replayed(_detached(maya))
    assert (replay["cut"], replay["denied"], len(replay["lines"]), replay["more_denied"]) == (
        "distinct",
        9,
        2,
        1,
    )
    monkeypatch.setattr(receipt_replay, "EVENTS", 8)
    replay = _replayed(_detached(maya))
    assert replay["is_shortened"]
    assert replay["calls"] == 7
    monkeypatch.setattr(receipt_replay, "SECONDS", -1.0)
    assert _replayed(_detached(maya))["cut"] == "time"


def test_as_many_queries_for_many_as_for_one(maya: Entity) -> None:
    group = Entity.objects.get(name="payments")
    removed = Attachment.of(DETACH_POLICY, group, policy=Entity.objects.get(name="Keys"))
    listed = {"eventSource": "iam.amazonaws.com", "eventName": "ListUsers", "requestParameters": None}
    counts = []
    for _ in range(2):
        for number in range(8):
            user = factories.user(maya.account, f"user-{len(counts)}-{number}")
            factories.edge(EdgeKind.MEMBER, user, group)
            happened(identity_of(user), at=_ago(days=3 + number), **listed)
        snapshot.forget()
        _replayed(removed)
        with CaptureQueriesContext(connection) as queries:
            assert _replayed(removed)["denied"] == 8 * (len(counts) + 1)
        counts.append(len(queries))
    assert counts[0] == counts[1]
