"""The runner against the AWS stand-in: first run, second run, drift, inverse, late visibility, refusals,
throttling.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.demo.organisation.gatehouse import EXTERNAL_ID, WRITER_ROLE
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.standin.hub import HUB_ACCESS_KEY_ID, HUB_SECRET_ACCESS_KEY
from iam.aws import writes
from iam.aws.access import AccountAccess
from iam.aws.session import connect
from iam.changes import services
from iam.changes.models import Change, ChangeState
from iam.changes.operations.group_membership import Membership
from iam.changes.runner import run
from iam.changes.services import own_resources
from iam.journal.models import Entry
from iam.mirror.models import Edge, Entity
from tests import factories
from tests.iam.changes.conftest import Nudges, Scene, make_group, make_user, wait_over

pytestmark = pytest.mark.on_postgresql

ADD, REMOVE = "iam:AddUserToGroup", "iam:RemoveUserFromGroup"


def ran(change: Change) -> Change:
    """The change after a worker was told of it."""
    run(change.pk)
    change.refresh_from_db()
    return change


def test_an_approved_change_is_applied_and_read_back(scene: Scene) -> None:
    change = ran(scene.queued())

    assert change.state == ChangeState.APPLIED, change.error_message
    assert scene.in_aws()
    assert scene.in_mirror()
    assert scene.standin.calls(ADD) == 1
    assert len(change.request_ids) == 1
    edge = Edge.objects.get(source=scene.user, target=scene.group)
    assert (edge.cause_kind, edge.cause_id) == ("change", change.pk)


def test_a_simple_change_costs_five_calls(scene: Scene) -> None:
    before = scene.standin.control("stats")["requests"]

    ran(scene.queued())

    assert scene.standin.control("stats")["requests"] - before == 5


def test_removing_takes_the_person_out_and_says_by_whom_in_the_mirror(member_scene: Scene) -> None:
    change = ran(member_scene.queued("remove"))

    assert change.state == ChangeState.APPLIED, change.error_message
    assert not member_scene.in_aws()
    edge = Edge.objects.get(source=member_scene.user, target=member_scene.group)
    assert edge.valid_to is not None
    assert (edge.end_cause_kind, edge.end_cause_id) == ("change", change.pk)


def test_a_second_run_changes_nothing(scene: Scene) -> None:
    change = scene.applied()
    events = change.events.count()

    ran(change)

    assert scene.standin.calls(ADD) == 1
    assert change.events.count() == events


@pytest.mark.parametrize(
    ("do", "by_hand", "action"), [("add", "AddUserToGroup", ADD), ("remove", "RemoveUserFromGroup", REMOVE)]
)
def test_what_is_already_so_is_applied_without_a_call(
    request: pytest.FixtureRequest, do: str, by_hand: str, action: str
) -> None:
    scene: Scene = request.getfixturevalue("scene" if do == "add" else "member_scene")
    change = scene.queued(do)
    scene.by_hand(by_hand)
    scene.standin.control("faults/clear", {})

    ran(change)

    assert change.state == ChangeState.APPLIED
    assert change.already_so
    assert scene.standin.calls(action) == 0
    assert scene.in_mirror() == (do == "add")
    edge = Edge.objects.get(source=scene.user, target=scene.group)
    assert edge.cause_id is None
    assert edge.end_cause_id is None


@pytest.mark.parametrize("kind", ["user", "group"])
def test_a_subject_made_again_under_its_name_is_drift_and_nothing_is_called(scene: Scene, kind: str) -> None:
    change = scene.queued()
    entity = scene.user if kind == "user" else scene.group
    word, made = ("User", make_user) if kind == "user" else ("Group", make_group)
    writes.call(scene.aws, "iam", f"Delete{word}", {f"{word}Name": entity.name})
    Entity.objects.filter(pk=entity.pk).update(gone_at=datetime.now(tz=UTC))
    made(scene.aws, scene.account, entity.name)

    ran(change)

    assert (change.state, change.error_kind) == (ChangeState.FAILED, "drift")
    assert "replaced by another" in change.error_message
    assert "Nothing was changed in AWS" in change.error_message
    assert scene.standin.calls(ADD) == 0


def test_a_user_deleted_meanwhile_is_drift(scene: Scene) -> None:
    change = scene.queued()
    writes.call(scene.aws, "iam", "DeleteUser", {"UserName": scene.user.name})

    ran(change)

    assert (change.state, change.error_kind) == (ChangeState.FAILED, "drift")
    assert "no longer exists under this name in AWS" in change.error_message


def test_undo_brings_back_what_was_before(scene: Scene) -> None:
    change = scene.applied()
    undo = services.undo(change, actor=scene.requester, reason="No longer needed", idempotency_key="u")
    scene.approve(undo)

    ran(undo)

    assert undo.state == ChangeState.APPLIED
    assert undo.reverts_id == change.pk
    assert not scene.in_aws()
    assert not scene.in_mirror()


def test_what_aws_shows_late_is_read_again_later_and_no_worker_waits(
    scene: Scene, nudges: Nudges, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    change = scene.queued()
    true_observe = Membership.observe
    monkeypatch.setattr(Membership, "observe", lambda self, aws: {"member": False})

    with django_capture_on_commit_callbacks(execute=True):
        ran(change)

    assert change.state == ChangeState.CONFIRMING
    assert nudges.sent[-1] == (change.pk, 0.5)
    assert not scene.in_mirror()

    ran(change)
    assert change.reads == 1, "it is not due yet"

    wait_over(change)
    with django_capture_on_commit_callbacks(execute=True):
        ran(change)
    assert nudges.sent[-1] == (change.pk, 1.0)

    monkeypatch.setattr(Membership, "observe", true_observe)
    wait_over(change)
    ran(change)
    assert change.state == ChangeState.APPLIED
    assert scene.standin.calls(ADD) == 1
    assert "3 checks" in change.events.last().note


def test_what_aws_never_shows_becomes_unknown_and_can_be_looked_at_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = scene.queued()
    true_observe = Membership.observe
    monkeypatch.setattr(Membership, "observe", lambda self, aws: {"member": False})
    ran(change)
    Change.objects.filter(pk=change.pk).update(confirming_at=datetime.now(tz=UTC) - timedelta(minutes=6))
    wait_over(change)

    ran(change)
    assert (change.state, change.error_kind) == (ChangeState.UNKNOWN, "not_seen")

    monkeypatch.setattr(Membership, "observe", true_observe)
    services.look_again(change, actor=scene.approver)
    ran(change)
    assert change.state == ChangeState.APPLIED
    assert scene.standin.calls(ADD) == 1


def test_the_write_role_is_used_to_write(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The role for reading does not even exist here."""
    number = ACCOUNT_IDS["production"]
    role = f"arn:aws:iam::{number}:role/{WRITER_ROLE}"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", HUB_ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", HUB_SECRET_ACCESS_KEY)
    account = factories.account(number, role_arn=f"{role}-none", write_role_arn=role, external_id=EXTERNAL_ID)
    aws = connect(AccountAccess(number, mode="role", role_arn=role, external_id=EXTERNAL_ID))
    there = replace(
        scene,
        aws=aws,
        account=account,
        user=make_user(aws, account, "yuki.tanaka-writes"),
        group=make_group(aws, account, "writers-test"),
    )

    change = ran(there.queued())

    assert change.state == ChangeState.APPLIED, change.error_message
    assert there.in_aws()
    aws.close()


def test_gatehouse_does_not_touch_its_own_role_even_when_it_was_approved(scene: Scene) -> None:
    change = scene.queued()
    factories.account("222222222222", name="other", role_arn=scene.user.arn)
    # As though the two seconds were over for which a process knows what Gatehouse works by.
    own_resources.forget()

    ran(change)

    assert (change.state, change.error_kind) == (ChangeState.FAILED, "refused")
    assert scene.standin.calls(ADD) == 0


def test_each_step_is_in_the_timeline_and_in_the_journal(scene: Scene) -> None:
    change = scene.applied()

    steps = ["requested", "approved", "applying", "confirming", "applied"]
    assert list(change.events.order_by("id").values_list("kind", flat=True)) == steps
    kinds = Entry.objects.filter(kind__startswith="change.").order_by("id").values_list("kind", flat=True)
    assert list(kinds) == [f"change.{step}" for step in steps]
    actors = list(change.events.order_by("id").values_list("actor_label", flat=True))
    assert actors == ["Ines Duarte", "Hana Sato", "Gatehouse", "Gatehouse", "Gatehouse"]
