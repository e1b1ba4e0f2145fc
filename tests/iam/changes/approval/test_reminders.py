"""What becomes of a request that nobody answers, by a beat that may be late, double, or alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.changes.approval import reminders
from iam.changes.approval.models import Requirement
from iam.changes.approval.reminders import remind_and_escalate
from iam.changes.approval.rules import ADMINISTRATORS, APPROVERS, ApprovalRule, ApprovalStage
from iam.changes.errors import ReceiptChangedError, RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.queries import waiting_for
from iam.directory.models import Role, RoleAssignment
from iam.journal.models import Entry
from iam.notify.models import OutgoingMessage
from tests.iam.changes.approval.conftest import Desk, in_force
from tests.iam.changes.approval.test_break_glass import review, use

pytestmark = pytest.mark.on_postgresql

RULE = ApprovalRule(
    key="r",
    name="All",
    stages=(ApprovalStage((APPROVERS,)),),
    remind_hours=2,
    escalate_hours=5,
    escalate_to=(ADMINISTRATORS,),
)


def later(**by: int) -> datetime:
    """A moment so much later than now."""
    return datetime.now(tz=UTC) + timedelta(**by)


def told(event: str) -> list[str]:
    """Who was told of it."""
    return sorted(OutgoingMessage.objects.filter(event=event, channel="email").values_list("name", flat=True))


def test_those_who_can_decide_are_reminded_and_again_later(desk: Desk) -> None:
    in_force(RULE)
    change = desk.ask()
    assert remind_and_escalate(later(hours=1)) == 0
    assert remind_and_escalate(later(hours=2, minutes=1)) == 1
    assert change.events.get(kind="reminded").note == "Hana Sato, Jonas Berg can decide."
    assert told("approval.reminder") == ["Hana Sato", "Jonas Berg"]

    assert remind_and_escalate(later(hours=2, minutes=2)) == 0
    assert remind_and_escalate(later(hours=4, minutes=2)) == 1
    assert Requirement.objects.get().reminded == 2
    assert len(told("approval.reminder")) == 4


def test_left_unanswered_it_goes_to_others_who_can_decide_then(desk: Desk) -> None:
    in_force(RULE)
    desk.person("Ada Lund", desk.people["Ines Duarte"].assignments.get().role)
    change = desk.ask()
    with pytest.raises(RefusedError, match="the approval rules name other people"):
        desk.approve(change, "Ada Lund")
    remind_and_escalate(later(hours=6))

    assert change.events.get(kind="escalated").note == "Ada Lund can decide."
    assert told("approval.escalation") == ["Ada Lund"]
    assert waiting_for(desk.again("Ada Lund")).get() == change
    assert not waiting_for(desk.again("Ines Duarte")).exists()
    with pytest.raises(RefusedError, match="someone else decides"):
        desk.approve(change, "Ines Duarte")
    assert desk.approve(change, "Ada Lund").state == ChangeState.QUEUED


def test_what_was_answered_is_left_in_peace(desk: Desk) -> None:
    in_force(RULE)
    change = desk.approve(desk.ask(), "Hana Sato")
    assert remind_and_escalate(later(hours=6)) == 0
    assert remind_and_escalate(later(hours=12)) == 0
    assert not change.events.filter(kind__in=["reminded", "escalated"]).exists()
    assert not Requirement.objects.exclude(remind_at=None, escalate_at=None).exists()


def test_of_two_beats_at_once_one_reminds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:

    in_force(RULE)
    change = desk.ask()
    moment = later(hours=3)
    true_parts = reminders.parts_of

    def then_another(group: object) -> list[Change]:
        monkeypatch.setattr(reminders, "parts_of", true_parts)
        remind_and_escalate(moment)
        return true_parts(group)  # type: ignore[arg-type]

    monkeypatch.setattr(reminders, "parts_of", then_another)
    remind_and_escalate(moment)
    assert change.events.filter(kind="reminded").count() == 1


def test_that_nobody_can_decide_is_said(desk: Desk) -> None:
    in_force(ApprovalRule(key="r", name="All", stages=(ApprovalStage((ADMINISTRATORS,)),), remind_hours=2))
    change = desk.ask()
    remind_and_escalate(later(hours=3))
    assert "No one can approve this now" in change.events.get(kind="reminded").note


def test_what_was_asked_for_before_there_were_rules_gets_its_stages(desk: Desk) -> None:
    desk.ask()
    Requirement.objects.all().delete()
    remind_and_escalate()
    assert Requirement.objects.get().ballots.count() == 1
    assert not Entry.objects.filter(kind="change.reminded").exists()


def test_a_use_of_break_glass_is_reminded_of_until_somebody_has_reviewed_it(desk: Desk) -> None:
    change = desk.ask()
    glass = use(desk, change)
    assert remind_and_escalate(later(hours=3)) == 0
    assert remind_and_escalate(later(hours=4, minutes=1)) == 1
    assert remind_and_escalate(later(hours=4, minutes=2)) == 0
    assert remind_and_escalate(later(hours=29)) == 1
    notes = [change_event.note for change_event in change.events.filter(kind="review_reminded")]
    assert notes == ["Hana Sato, Jonas Berg can review it."] * 2
    unreviewed = OutgoingMessage.objects.filter(key__contains="unreviewed")
    assert sorted(unreviewed.values_list("name", flat=True)) == ["Hana Sato"] * 2 + ["Jonas Berg"] * 2
    assert {outgoing.path for outgoing in unreviewed} == {f"/changes/{change.pk}/review/"}
    assert Entry.objects.filter(kind="change.review_reminded").count() == 2

    Change.objects.filter(pk=change.pk).update(state=ChangeState.APPLIED)
    review(desk, glass, "Hana Sato")
    assert remind_and_escalate(later(hours=60)) == 0


def test_that_nobody_can_review_it_is_said_and_a_single_operator_reminds_themselves(
    desk: Desk, settings: Any
) -> None:
    change = desk.ask()
    use(desk, change)
    RoleAssignment.objects.filter(role=Role.APPROVER).delete()
    remind_and_escalate(later(hours=5))
    assert "No one else can review this" in change.events.get(kind="review_reminded").note
    settings.SINGLE_OPERATOR = True
    remind_and_escalate(later(hours=30))
    assert change.events.filter(kind="review_reminded", note="Ines Duarte can review it.").exists()


def test_a_stage_that_waits_again_is_told_of_again(desk: Desk) -> None:
    in_force(
        ApprovalRule(key="two", name="Two", stages=(ApprovalStage((APPROVERS,)), ApprovalStage((APPROVERS,))))
    )
    change = desk.approve(desk.ask(), "Hana Sato")
    assert told("change.waiting") == ["Hana Sato", "Jonas Berg", "Jonas Berg"]
    desk.alter()
    with pytest.raises(ReceiptChangedError):
        desk.approve(change, "Jonas Berg")
    assert told("change.waiting") == ["Hana Sato"] * 2 + ["Jonas Berg"] * 3
