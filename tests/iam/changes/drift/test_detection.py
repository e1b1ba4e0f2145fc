"""What is drift, and what is none: found from what pulls have written, once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from iam.changes import services
from iam.changes.drift.detection import find, find_everywhere
from iam.changes.drift.mirror_history import ObservedThing, happened_at
from iam.changes.drift.models import Drift, DriftState, DriftWatch
from iam.changes.models import Change
from iam.changes.operations.principals import CreateUser
from iam.changes.runner import run
from iam.mirror.models import Edge, Entity, Kind, Pull
from iam.mirror.refresh import reread_entity
from tests import factories
from tests.iam.changes.conftest import Scene
from tests.iam.changes.drift.conftest import Outside, pull

pytestmark = pytest.mark.on_postgresql

READS = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
)


def told(drift: Drift) -> list[str]:
    """What happened, in words."""
    place = ObservedThing(drift.entity_id, drift.seen_at)
    return [
        " ".join(
            part for part in (event.lead, ", ".join(named.name for named in event.others), event.tail) if part
        )
        for event in happened_at([place])[place].events()
    ]


def test_a_pull_that_finds_what_somebody_did_by_hand_is_drift_and_what_gatehouse_did_is_none(
    scene: Scene,
) -> None:
    pull(scene)
    assert find(scene.account) == 0
    assert DriftWatch.objects.get().revision == scene.account.__class__.objects.get().revision
    change = scene.queued()
    run(change.pk)
    scene.aws.iam.attach_user_policy(
        UserName=scene.user.name, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess"
    )
    scene.aws.iam.put_group_policy(GroupName=scene.group.name, PolicyName="extra", PolicyDocument=READS)
    # A pull trusts a re-read over its own reading for a while.
    Entity.objects.filter(pk=scene.user.pk).update(reread_at=None)
    pull(scene)
    assert find_everywhere() == 2
    by_name = {drift.entity.name: told(drift) for drift in Drift.objects.select_related("entity")}
    assert by_name == {
        scene.user.name: ["Attached ReadOnlyAccess"],
        scene.group.name: ["Inline policy extra added"],
    }
    assert all(drift.after is not None and drift.after < drift.seen_at for drift in Drift.objects.all())
    with CaptureQueriesContext(connection) as captured:
        assert find_everywhere() == 0
    assert len(captured) == 1


def test_an_account_that_has_never_been_read_whole_has_no_drift(scene: Scene) -> None:
    assert find(scene.account) == 0
    assert not DriftWatch.objects.exists()


@pytest.mark.django_db
def test_an_uploaded_file_is_no_account_that_is_watched() -> None:
    account, now = factories.account(source="export"), datetime.now(tz=UTC)
    Pull.objects.create(account=account, state="complete", trigger="upload", began_at=now, ended_at=now)
    assert find_everywhere() == 0
    assert not DriftWatch.objects.exists()
    account.source = "role"
    account.save()
    assert find_everywhere() == 0
    assert not DriftWatch.objects.exists()
    Pull.objects.create(account=account, state="partial", began_at=now, ended_at=now)
    find_everywhere()
    assert DriftWatch.objects.get().since == now


def test_what_is_seen_twice_is_told_once(outside: Outside) -> None:
    outside.scene.by_hand("AddUserToGroup")
    outside.seen(outside.scene.user)
    outside.seen(outside.scene.user)
    DriftWatch.objects.update(revision=0)
    assert find(outside.scene.account) == 0
    assert told(outside.drift()) == [f"Joined {outside.scene.group.name}"]


def test_what_changes_again_is_another_drift(outside: Outside) -> None:
    outside.scene.by_hand("AddUserToGroup")
    outside.seen(outside.scene.user)
    outside.scene.by_hand("RemoveUserFromGroup")
    outside.seen(outside.scene.user)
    first, second = Drift.objects.order_by("seen_at")
    assert [told(first), told(second)] == [
        [f"Joined {outside.scene.group.name}"],
        [f"Left {outside.scene.group.name}"],
    ]


def test_a_user_who_is_deleted_by_hand_is_one_drift_with_everything_that_went(outside: Outside) -> None:
    outside.scene.by_hand("AddUserToGroup")
    outside.seen(outside.scene.user)
    outside.scene.by_hand("RemoveUserFromGroup")
    outside.iam.delete_user(UserName=outside.scene.user.name)
    outside.seen(outside.scene.user)
    assert told(Drift.objects.latest("seen_at")) == ["Deleted", f"Left {outside.scene.group.name}"]


def test_a_change_that_was_seen_by_a_pull_before_it_was_read_back_explains_it(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = outside.scene.queued()
    with monkeypatch.context() as patch:
        patch.setattr("iam.changes.runner.outcomes._read_back", lambda *_, **__: False)
        run(change.pk)
    outside.seen(outside.scene.user)
    drift = outside.drift()
    assert drift.state == DriftState.EXPLAINED
    assert drift.change_set_id == Change.objects.get(pk=change.pk).change_set_id


@pytest.mark.parametrize("extra", [False, True], ids=["as-it-was-made", "and-more-by-hand"])
def test_what_a_change_makes_is_explained_although_a_pull_meets_it_first(
    outside: Outside, monkeypatch: pytest.MonkeyPatch, extra: bool
) -> None:
    """With boundary and tags, which the mirror keeps in tables of their own; what somebody added meanwhile is
    drift.
    """
    scene = outside.scene
    bound = scene.aws.iam.create_policy(PolicyName=f"bound-{extra}", PolicyDocument=READS)["Policy"]["Arn"]
    read = reread_entity(
        scene.account, scene.aws, kind="policy", name=f"bound-{extra}", arn=bound, cause_id=None
    )
    assert read is not None
    name = f"made.by.us.{extra}"
    operation = CreateUser.of(scene.account, name=name, boundary=bound, tags={"team": "payments"})
    planned = services.plan(operation, viewer=scene.requester)
    change = services.request_change(planned, actor=scene.requester, reason="r", idempotency_key=name)
    Drift.objects.all().delete()
    scene.approve(change)
    with monkeypatch.context() as patch:
        patch.setattr("iam.changes.runner.outcomes._read_back", lambda *_, **__: False)
        run(change.pk)
    if extra:
        scene.aws.iam.put_user_policy(UserName=name, PolicyName="extra", PolicyDocument=READS)
    made = reread_entity(scene.account, scene.aws, kind="user", name=name, arn="", cause_id=None)
    assert made is not None
    outside.seen(made)
    drift = outside.drift_of(made)
    assert drift.state == (DriftState.OPEN if extra else DriftState.EXPLAINED), told(drift)


def test_a_change_does_not_explain_what_else_happened_meanwhile(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = outside.scene.queued()
    with monkeypatch.context() as patch:
        patch.setattr("iam.changes.runner.outcomes._read_back", lambda *_, **__: False)
        run(change.pk)
    outside.iam.put_user_policy(UserName=outside.scene.user.name, PolicyName="extra", PolicyDocument=READS)
    outside.seen(outside.scene.user)
    assert outside.drift().state == DriftState.OPEN


@pytest.mark.django_db
def test_what_aws_does_to_its_own_policies_and_people_to_their_own_devices_is_no_drift() -> None:
    account = factories.account()
    user = factories.user(account, credentials={"mfa": "none"})
    of_aws = factories.policy(account, "ReadOnly", arn="arn:aws:iam::aws:policy/ReadOnly")
    later = factories.FIRST_READ + factories.BETWEEN_READINGS
    DriftWatch.objects.create(account=account, since=factories.FIRST_READ)
    factories.becomes(user.credential_states.get(), at=later, mfa="virtual")
    factories.becomes(of_aws.versions.get(), at=later, version_id="v2")
    device = factories.entity(account, Kind.MFA_DEVICE, "phone", since=later)
    factories.seen_after(device.states.get())
    Entity.objects.filter(pk=device.pk).update(owner=user)
    Entity.objects.update(revision=1)
    type(account).objects.update(revision=1)
    assert find(account) == 0
    factories.becomes(user.credential_states.latest("pk"), at=later + factories.BETWEEN_READINGS, mfa="none")
    DriftWatch.objects.update(revision=0)
    assert find(account) == 1
    assert told(Drift.objects.get()) == ["MFA turned off"]
    assert not Edge.objects.exists()


@pytest.mark.django_db
def test_what_only_a_credential_report_tells_is_found_after_its_pull() -> None:
    account = factories.account()
    user = factories.user(account)
    now = datetime.now(tz=UTC)
    DriftWatch.objects.create(account=account, since=factories.FIRST_READ, looked_at=now)
    factories.becomes(user.credential_states.get(), at=now - timedelta(hours=3), mfa="none")
    assert find_everywhere() == 0
    pull_row = Pull.objects.create(account=account, state="complete", began_at=now, ended_at=now)
    assert find_everywhere() == 0
    Pull.objects.filter(pk=pull_row.pk).update(changed=1, ended_at=now + timedelta(seconds=1))
    assert find_everywhere() == 1
    DriftWatch.objects.update(looked_at=now + timedelta(seconds=2))
    assert find_everywhere() == 0


def test_a_user_made_by_hand_with_a_key_is_one_drift_that_names_the_key(scene: Scene, settings: Any) -> None:
    """The list of users shows the user first; the key is read of each user by itself, seconds later."""
    settings.DETAIL_CALLS = 1000
    pull(scene)
    assert find(scene.account) == 0
    iam = scene.aws.iam
    iam.create_user(UserName="backdoor")
    key = iam.create_access_key(UserName="backdoor")["AccessKey"]["AccessKeyId"]
    iam.add_user_to_group(UserName="backdoor", GroupName=scene.group.name)
    pull(scene)
    assert find_everywhere() == 1
    drift = Drift.objects.get()
    assert sorted(told(drift)) == [f"Access key {key} added", "Created", f"Joined {scene.group.name}"]
    assert drift.impact["risk"] == "sensitive"
    assert find(scene.account) == 0, "finding twice adds nothing"


def test_a_key_that_is_read_after_its_user_was_found_makes_the_drift_riskier(
    scene: Scene, settings: Any
) -> None:
    settings.DETAIL_CALLS = 1000
    pull(scene)
    find(scene.account)
    scene.aws.iam.create_user(UserName="sleeper")
    key = scene.aws.iam.create_access_key(UserName="sleeper")["AccessKey"]["AccessKeyId"]
    settings.DETAIL_CALLS = 0
    pull(scene)
    assert find(scene.account) == 1
    drift = Drift.objects.get()
    assert (told(drift), drift.impact["risk"]) == (["Created"], "normal")
    settings.DETAIL_CALLS = 1000
    pull(scene)
    assert find(scene.account) == 0
    drift.refresh_from_db()
    assert sorted(told(drift)) == [f"Access key {key} added", "Created"]
    assert (drift.impact["risk"], drift.weight) == ("sensitive", 1)


def test_keys_of_a_first_sync_are_no_drift(scene: Scene, settings: Any) -> None:
    settings.DETAIL_CALLS = 0
    scene.aws.iam.create_access_key(UserName=scene.user.name)
    pull(scene)
    find(scene.account)
    settings.DETAIL_CALLS = 1000
    pull(scene)
    assert find(scene.account) == 0, "read later, but there before, for all that is known"
