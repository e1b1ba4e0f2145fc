"""Who approves and rejects, on which receipt, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.changes import services
from iam.changes.errors import ReceiptChangedError, RefusedError
from iam.changes.models import Approval, Change, ChangeSet, ChangeState, Decision
from iam.changes.operations.group_membership import ADD_TO_GROUP, Membership
from iam.changes.runner import run, sweep
from iam.directory.models import Role
from iam.guard import viewer_for
from iam.journal.models import Entry
from iam.mirror.models import EdgeKind
from tests import factories
from tests.iam.changes.conftest import Nudges, Scene

pytestmark = pytest.mark.on_both


def test_nobody_approves_what_they_asked_for_themselves(scene: Scene) -> None:
    planned = scene.plan(viewer=scene.approver)
    change = services.request_change(planned, actor=scene.approver, reason="r", idempotency_key="k")
    with pytest.raises(RefusedError, match="someone else decides"):
        scene.approve(change)
    change.refresh_from_db()
    assert change.state == ChangeState.AWAITING
    assert not Approval.objects.exists()


def test_a_single_operator_approves_alone_and_it_is_said_aloud(scene: Scene, settings: Any) -> None:
    settings.SINGLE_OPERATOR = True
    planned = scene.plan(viewer=scene.approver)
    change = services.request_change(planned, actor=scene.approver, reason="r", idempotency_key="k")

    scene.approve(change)

    assert change.state == ChangeState.QUEUED
    assert Approval.objects.get().is_own_request
    assert change.events.filter(kind="approved_alone").exists()
    assert Entry.objects.get(kind="change.approved_alone").data["single_operator"] is True


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR, Role.MEMBER])
def test_only_who_holds_the_right_decides(scene: Scene, role: Role) -> None:
    change = scene.ask()
    somebody = factories.viewer(role, name="Somebody Else")
    with pytest.raises(RefusedError, match="can’t approve"):
        scene.approve(change, actor=somebody)
    with pytest.raises(RefusedError, match="can’t approve"):
        services.reject(change, actor=somebody, comment="no")


def test_an_approver_of_another_account_does_not_decide(scene: Scene) -> None:
    person = factories.person("Ben Okri")
    factories.assign(person, Role.APPROVER, account_id="222222222222")
    with pytest.raises(RefusedError, match="can’t approve"):
        scene.approve(scene.ask(), actor=viewer_for(person))


def test_a_second_approval_is_told_that_it_is_too_late(scene: Scene, nudges: Nudges) -> None:
    change = scene.queued()
    with pytest.raises(RefusedError, match="nothing left to decide"):
        scene.approve(change, actor=factories.viewer(Role.APPROVER, name="Amara Diallo"))
    assert Approval.objects.count() == 1


def test_of_two_approvals_at_once_one_counts(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from iam.changes.services import decisions

    change = scene.ask()
    true_awaiting = decisions.waiting_parts

    def then_somebody_else(decided: Change) -> list[Change]:
        parts = true_awaiting(decided)
        monkeypatch.setattr(decisions, "waiting_parts", true_awaiting)
        scene.approve(Change.objects.get(pk=change.pk))
        return parts

    monkeypatch.setattr(decisions, "waiting_parts", then_somebody_else)
    with pytest.raises(RefusedError):
        scene.approve(change, actor=factories.viewer(Role.APPROVER, name="Amara Diallo"))
    assert Approval.objects.count() == 1
    assert change.events.filter(kind="approved").count() == 1


def test_a_receipt_that_is_no_longer_true_is_shown_again_before_it_is_approved(scene: Scene) -> None:
    change = scene.ask()
    seen = change.change_set.receipt_digest
    factories.edge(EdgeKind.ATTACHED, scene.group, factories.policy(scene.account, "Added"))

    with pytest.raises(ReceiptChangedError):
        services.approve(change, actor=scene.approver, seen_digest=seen)
    change.refresh_from_db()
    assert change.state == ChangeState.AWAITING
    assert [p["name"] for p in change.receipt["effect"]["gains"]] == ["Added"]
    assert change.events.filter(kind="receipt_changed").exists()

    with pytest.raises(ReceiptChangedError):
        services.approve(change, actor=scene.approver, seen_digest=seen)

    scene.approve(change)
    assert change.state == ChangeState.QUEUED
    assert Approval.objects.get().receipt_digest == change.change_set.receipt_digest


def test_room_under_the_quota_may_change_without_a_new_look(scene: Scene) -> None:
    change = scene.ask()
    factories.edge(EdgeKind.MEMBER, scene.user, factories.group(scene.account, "elsewhere"))

    assert scene.approve(change).state == ChangeState.QUEUED


def test_what_no_longer_makes_sense_cannot_be_approved(scene: Scene) -> None:
    change = scene.ask()
    factories.edge(EdgeKind.MEMBER, scene.user, scene.group)
    with pytest.raises(RefusedError, match="is already in"):
        scene.approve(change)
    change.refresh_from_db()
    assert change.state == ChangeState.AWAITING


def test_the_clock_starts_at_the_approval(scene: Scene) -> None:
    change = scene.ask()
    nearly = datetime.now(tz=UTC) + timedelta(minutes=1)
    Change.objects.filter(pk=change.pk).update(expires_at=nearly)

    scene.approve(change)

    assert change.expires_at is not None
    assert change.expires_at - datetime.now(tz=UTC) > timedelta(hours=23)


def test_an_unanswered_request_expires_and_stays_in_the_list(scene: Scene) -> None:
    change = scene.ask()
    Change.objects.filter(pk=change.pk).update(expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))

    with pytest.raises(RefusedError, match="has expired"):
        scene.approve(change)
    sweep()

    change.refresh_from_db()
    assert change.state == ChangeState.EXPIRED
    assert Entry.objects.filter(kind="change.expired").exists()
    with pytest.raises(RefusedError):
        scene.approve(change)


def test_an_approval_that_nothing_could_begin_expires(scene: Scene) -> None:
    change = scene.queued()
    Change.objects.filter(pk=change.pk).update(expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))

    sweep()

    change.refresh_from_db()
    assert change.state == ChangeState.EXPIRED
    run(change.pk)
    assert scene.standin.calls("iam:AddUserToGroup") == 0


def test_a_change_for_later_is_not_begun_before(scene: Scene) -> None:
    later = datetime.now(tz=UTC) + timedelta(hours=2)
    change = scene.approve(scene.ask(not_before=later))

    run(change.pk)

    change.refresh_from_db()
    assert change.state == ChangeState.QUEUED
    assert change.due_at == later


def test_rejecting_needs_a_comment(scene: Scene) -> None:
    change = scene.ask()
    with pytest.raises(RefusedError, match="Write why you reject"):
        services.reject(change, actor=scene.approver, comment=" ")

    services.reject(change, actor=scene.approver, comment="Ask Elif first")

    change.refresh_from_db()
    assert change.state == ChangeState.REJECTED
    approval = Approval.objects.get()
    assert (approval.decision, approval.comment) == (Decision.REJECT, "Ask Elif first")
    assert change.events.last().note == "Ask Elif first"


def test_who_asked_withdraws_until_a_worker_has_begun(scene: Scene) -> None:
    change = scene.queued()
    with pytest.raises(RefusedError, match="Only the requester"):
        services.withdraw(change, actor=scene.approver)

    services.withdraw(change, actor=scene.requester)

    change.refresh_from_db()
    assert change.state == ChangeState.CANCELLED
    run(change.pk)
    assert scene.standin.calls("iam:AddUserToGroup") == 0


def test_what_is_under_way_or_over_cannot_be_withdrawn(scene: Scene) -> None:
    change = scene.applied()
    with pytest.raises(RefusedError, match="too late"):
        services.withdraw(change, actor=scene.requester)


@pytest.mark.parametrize("decide", ["approve", "reject"])
def test_a_decision_reads_the_set_as_often_for_many_changes_as_for_few(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, decide: str
) -> None:
    """Its receipt grows with the set: parsed once for each change, 2,400 changes took a minute and 1 GB."""
    loads = 0
    from_db = ChangeSet.from_db.__func__  # type: ignore[attr-defined]

    def counted(cls: type[ChangeSet], *row: Any) -> Any:
        nonlocal loads
        loads += 1
        return from_db(cls, *row)

    monkeypatch.setattr(ChangeSet, "from_db", classmethod(counted))
    counts = []
    for size in (2, 12):
        users = [factories.user(scene.account, f"user-{size}-{number}") for number in range(size)]
        change, *_ = services.request_changes(
            services.plan_set(
                [Membership.of(ADD_TO_GROUP, user, group=scene.group) for user in users],
                viewer=scene.requester,
            ),
            actor=scene.requester,
            reason="A new team",
            idempotency_key=f"team-of-{size}",
        )
        loads = 0
        if decide == "approve":
            scene.approve(change)
        else:
            services.reject(change, actor=scene.approver, comment="Not now")
        counts.append(loads)
    assert counts[0] == counts[1] > 0
