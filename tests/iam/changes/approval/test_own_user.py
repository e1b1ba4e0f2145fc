"""Nobody decides what is about their own AWS user, anyone who asked for it."""

from __future__ import annotations

from typing import Any

import pytest

from iam.changes import services
from iam.changes.approval.reminders import remind_and_escalate
from iam.changes.approval.rules import APPROVERS, LEAD, ApprovalRule, ApprovalStage, ApproverSpec
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.queries import waiting_for
from iam.directory.models import Identity
from iam.notify.models import OutgoingMessage
from tests.iam.changes.approval.conftest import Desk, in_force
from tests.iam.changes.approval.test_reminders import RULE, later

pytestmark = pytest.mark.on_postgresql


def is_of(desk: Desk, name: str) -> None:
    """The user of the requests is this person's."""
    Identity.objects.create(person=desk.people[name], user_arn=desk.user.arn)


def test_an_approver_does_not_approve_for_their_own_user_what_somebody_else_asked_for(desk: Desk) -> None:
    is_of(desk, "Hana Sato")
    change = desk.ask()
    with pytest.raises(RefusedError, match="about your own AWS user"):
        desk.approve(change, "Hana Sato")
    with pytest.raises(RefusedError, match="about your own AWS user"):
        services.reject(change, actor=desk.again("Hana Sato"), comment="No")
    assert not waiting_for(desk.again("Hana Sato")).exists()
    assert set(OutgoingMessage.objects.values_list("name", flat=True)) == {"Jonas Berg"}
    assert desk.approve(change, "Jonas Berg").state == ChangeState.QUEUED


def test_an_approval_counts_no_more_once_the_user_is_theirs(desk: Desk) -> None:
    in_force(
        ApprovalRule(key="two", name="Two", stages=(ApprovalStage((APPROVERS,)), ApprovalStage((APPROVERS,))))
    )
    change = desk.approve(desk.ask(), "Hana Sato")
    is_of(desk, "Hana Sato")
    services.comment(change, actor=desk.again("Jonas Berg"), text="?")
    desk.approve(change, "Jonas Berg")
    assert change.state == ChangeState.AWAITING
    assert [approval.approver_label for approval in services.decisions.current_progress(change).void] == [
        "Hana Sato"
    ]


def test_a_lead_who_is_meant_is_not_asked_as_the_lead(desk: Desk) -> None:
    in_force(ApprovalRule(key="lead", name="Lead", stages=(ApprovalStage((ApproverSpec(LEAD),)),)))
    is_of(desk, "Elif Kaya")
    change = desk.ask()
    assert "No one else leads a team" in change.change_set.requirement.notes[0]
    with pytest.raises(RefusedError, match="own AWS user"):
        desk.approve(change, "Elif Kaya")
    assert desk.approve(change, "Hana Sato").state == ChangeState.QUEUED


def test_a_change_of_ones_own_user_is_not_escalated_to_them_when_nobody_answers(desk: Desk) -> None:
    in_force(RULE)
    desk.person("Ada Lund", desk.people["Ines Duarte"].assignments.get().role)
    is_of(desk, "Ada Lund")
    change = desk.ask()
    remind_and_escalate(later(hours=6))
    assert "No one can approve this now" in change.events.get(kind="escalated").note
    with pytest.raises(RefusedError, match="own AWS user"):
        desk.approve(change, "Ada Lund")


def test_a_single_operator_decides_that_too(desk: Desk, settings: Any) -> None:
    settings.SINGLE_OPERATOR = True
    is_of(desk, "Hana Sato")
    assert desk.approve(desk.ask(), "Hana Sato").state == ChangeState.QUEUED
    assert Change.objects.count() == 1
