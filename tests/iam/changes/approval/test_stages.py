"""Several people in several stages: who counts, once, and what makes an approval count no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.changes import services
from iam.changes.approval.models import Requirement, StageDecider
from iam.changes.approval.rules import (
    ADMINISTRATORS,
    APPROVERS,
    LEAD,
    PERSON,
    ApprovalRule,
    ApprovalStage,
    ApproverSpec,
)
from iam.changes.errors import ReceiptChangedError, RefusedError
from iam.changes.models import Approval, Change, ChangeState
from iam.changes.queries import waiting_for, waiting_for_others
from iam.directory.models import Role, RoleAssignment
from iam.directory.services import deactivate_person, remove_role
from iam.journal.models import Entry
from iam.journal.services import COMMAND_LINE
from tests import factories
from tests.iam.changes.approval.conftest import Desk, in_force

pytestmark = pytest.mark.on_postgresql


def rule(*stages: ApprovalStage, **fields: Any) -> ApprovalRule:
    """The only rule."""
    return ApprovalRule(key="only", name="Only", stages=stages, **fields)


TWO = rule(ApprovalStage((APPROVERS,), 2))
LEAD_FIRST = rule(ApprovalStage((ApproverSpec(LEAD),)), ApprovalStage((APPROVERS,)))


def waits_for(desk: Desk) -> set[str]:
    """Into whose inbox the request comes, by the query that inboxes and marks use."""
    return {name for name in desk.people if waiting_for(desk.again(name)).exists()}


def test_by_the_shipped_rules_one_approver_is_enough_for_an_ordinary_request(desk: Desk) -> None:
    change = desk.ask()
    assert waits_for(desk) == {"Hana Sato", "Jonas Berg"}
    assert desk.approve(change, "Hana Sato").state == ChangeState.QUEUED
    assert waits_for(desk) == set()


def test_by_the_shipped_rules_what_is_to_be_looked_at_closely_takes_two(desk: Desk) -> None:
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    admin = factories.policy(desk.account, "Everything", body=everything)
    factories.edge(factories.EdgeKind.ATTACHED, desk.group, admin)
    change = desk.ask()
    assert desk.approve(change, "Hana Sato").state == ChangeState.AWAITING
    # Now an administrator could decide as well, but this one asked.
    assert waits_for(desk) == {"Jonas Berg"}
    assert desk.approve(change, "Jonas Berg").state == ChangeState.QUEUED


def test_two_of_one_role_are_two_people(desk: Desk) -> None:
    in_force(TWO)
    change = desk.approve(desk.ask(), "Hana Sato")

    with pytest.raises(RefusedError, match="already approved this"):
        desk.approve(change, "Hana Sato")
    assert change.state == ChangeState.AWAITING
    assert waits_for(desk) == {"Jonas Berg"}
    assert waiting_for_others(desk.again("Hana Sato")).exists()
    assert desk.approve(change, "Jonas Berg").state == ChangeState.QUEUED
    assert Approval.objects.count() == 2


def test_one_person_with_two_roles_counts_once_over_all_stages(desk: Desk) -> None:
    in_force(rule(ApprovalStage((APPROVERS,)), ApprovalStage((ADMINISTRATORS,))))
    desk.person("Hana Sato", Role.ADMINISTRATOR)
    change = desk.approve(desk.ask(), "Hana Sato")

    with pytest.raises(RefusedError, match="already approved this"):
        desk.approve(change, "Hana Sato")
    change.refresh_from_db()
    assert change.state == ChangeState.AWAITING


def test_who_asked_decides_nothing_through_whichever_role(desk: Desk) -> None:
    in_force(rule(ApprovalStage((APPROVERS, ADMINISTRATORS, ApproverSpec(LEAD)))))
    hana = desk.person("Hana Sato", Role.ADMINISTRATOR)
    desk.person("Hana Sato", Role.TEAM_LEAD, team=desk.team)
    change = desk.ask(actor=desk.again("Hana Sato"))

    with pytest.raises(RefusedError, match="someone else decides"):
        desk.approve(change, "Hana Sato")
    with pytest.raises(RefusedError, match="someone else decides"):
        services.reject(change, actor=hana, comment="no")
    assert "Hana Sato" not in waits_for(desk)
    change.refresh_from_db()
    assert change.state == ChangeState.AWAITING


def test_stages_come_in_their_order(desk: Desk) -> None:
    in_force(LEAD_FIRST)
    change = desk.ask()
    assert waits_for(desk) == {"Elif Kaya"}
    with pytest.raises(RefusedError, match="You can approve stage 2, after stage 1"):
        desk.approve(change, "Hana Sato")

    desk.approve(change, "Elif Kaya", comment="Yes, he is on call")
    assert change.state == ChangeState.AWAITING
    assert waits_for(desk) == {"Hana Sato", "Jonas Berg"}
    assert desk.approve(change, "Hana Sato").state == ChangeState.QUEUED
    assert list(change.events.values_list("kind", flat=True)) == ["requested", "agreed", "approved"]
    assert Entry.objects.filter(kind="change.agreed", actor_label="Elif Kaya").exists()


def test_the_lead_of_another_team_decides_nothing(desk: Desk) -> None:
    in_force(LEAD_FIRST)
    other = factories.Team.objects.create(slug="data", name="Data")
    desk.person("Ben Okri", Role.TEAM_LEAD, team=other)
    change = desk.ask()
    with pytest.raises(RefusedError, match="the approval rules name other people"):
        desk.approve(change, "Ben Okri")
    assert "Ben Okri" not in waits_for(desk)


def test_where_nobody_else_leads_the_team_approvers_decide_and_it_is_said(desk: Desk) -> None:
    in_force(LEAD_FIRST)
    RoleAssignment.objects.filter(role=Role.TEAM_LEAD).delete()
    change = desk.ask()
    assert "No one else leads a team" in Requirement.objects.get().notes[0]
    assert desk.approve(change, "Hana Sato").state == ChangeState.AWAITING
    assert desk.approve(change, "Jonas Berg").state == ChangeState.QUEUED


def test_a_lead_is_not_asked_about_what_they_do_not_see(desk: Desk) -> None:
    in_force(LEAD_FIRST)
    policy = factories.policy(desk.account, "PaymentsDeploy")
    actor = desk.again("Ines Duarte")
    text = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
    plans = [
        services.plan_membership(actor, user=desk.user, group=desk.group, do="add"),
        services.plan_policy_text(actor, policy=policy, text=text),
    ]
    services.request_changes(plans, actor=actor, reason="Both", idempotency_key="both", title="Both")
    assert waits_for(desk) == {"Hana Sato", "Jonas Berg"}


def test_a_named_person_decides_and_nobody_in_their_place(desk: Desk) -> None:
    jonas = desk.people["Jonas Berg"]
    in_force(rule(ApprovalStage((ApproverSpec(PERSON, str(jonas.pk)),))))
    change = desk.ask()
    assert waits_for(desk) == {"Jonas Berg"}
    with pytest.raises(RefusedError, match="the approval rules name other people"):
        desk.approve(change, "Hana Sato")
    assert desk.approve(change, "Jonas Berg").state == ChangeState.QUEUED


def test_an_auditor_decides_nothing_although_a_rule_names_them(desk: Desk) -> None:
    in_force(rule(ApprovalStage((ApproverSpec(PERSON, str(desk.people["Amara Diallo"].pk)),))))
    with pytest.raises(RefusedError, match="the approval rules name other people"):
        desk.approve(desk.ask(), "Amara Diallo")


def test_an_approver_of_another_account_is_asked_nothing(desk: Desk) -> None:
    desk.person("Ben Okri", Role.APPROVER, account_id="222222222222")
    desk.person("Ada Lund", Role.APPROVER, account_id="111111111111")
    desk.ask()
    assert waits_for(desk) == {"Hana Sato", "Jonas Berg", "Ada Lund"}


def test_a_receipt_that_changed_voids_what_was_approved_and_says_so(desk: Desk) -> None:
    in_force(TWO)
    change = desk.approve(desk.ask(), "Hana Sato")
    desk.alter()

    with pytest.raises(ReceiptChangedError):
        desk.approve(change, "Jonas Berg")
    note = change.events.get(kind="approvals_void").note
    assert "the approval of Hana Sato no longer counts" in note
    assert waits_for(desk) == {"Hana Sato", "Jonas Berg"}
    assert desk.approve(change, "Jonas Berg").state == ChangeState.AWAITING
    assert desk.approve(change, "Hana Sato").state == ChangeState.QUEUED


def test_approvals_of_a_receipt_that_was_altered_behind_their_back_count_no_more(desk: Desk) -> None:
    in_force(TWO)
    change = desk.approve(desk.ask(), "Hana Sato")
    change.change_set.receipt = {}
    change.change_set.save(update_fields=["receipt"])

    assert desk.approve(change, "Jonas Berg").state == ChangeState.AWAITING
    assert waits_for(desk) == {"Hana Sato"}
    assert desk.approve(change, "Hana Sato").state == ChangeState.QUEUED


def test_a_receipt_that_became_riskier_falls_under_another_rule(desk: Desk) -> None:
    change = desk.ask()
    assert len(Requirement.objects.get().stages) == 1
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    factories.edge(
        factories.EdgeKind.ATTACHED, desk.group, factories.policy(desk.account, "All", body=everything)
    )
    with pytest.raises(ReceiptChangedError):
        desk.approve(change, "Hana Sato")
    assert len(Requirement.objects.get().stages) == 2
    assert desk.approve(change, "Hana Sato").state == ChangeState.AWAITING


def test_rules_that_change_meanwhile_leave_a_waiting_request_under_its_own(desk: Desk) -> None:
    change = desk.ask()
    in_force(TWO)
    assert desk.approve(change, "Hana Sato").state == ChangeState.QUEUED


@pytest.mark.parametrize("how", ["role", "person"])
def test_an_approval_does_not_outlive_the_right_to_it(desk: Desk, how: str) -> None:
    in_force(TWO)
    change = desk.approve(desk.ask(), "Hana Sato")
    hana = desk.people["Hana Sato"]
    if how == "role":
        remove_role(hana.assignments.get(), actor=COMMAND_LINE)
    else:
        deactivate_person(hana, actor=COMMAND_LINE)

    assert "no longer counts" in change.events.get(kind="approvals_void").note
    assert desk.approve(change, "Jonas Berg").state == ChangeState.AWAITING
    desk.person("Ada Lund", Role.APPROVER)
    assert desk.approve(change, "Ada Lund").state == ChangeState.QUEUED


def test_of_two_who_agree_at_once_both_count_and_the_second_completes_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from iam.changes.services import decisions

    in_force(TWO)
    change = desk.ask()
    true_check = decisions.check_request

    def then_somebody_else(parts: list[Change]) -> None:
        true_check(parts)
        monkeypatch.setattr(decisions, "check_request", true_check)
        desk.approve(Change.objects.get(pk=change.pk), "Jonas Berg")

    monkeypatch.setattr(decisions, "check_request", then_somebody_else)
    desk.approve(change, "Hana Sato")
    assert change.state == ChangeState.QUEUED
    assert Approval.objects.count() == 2
    assert change.events.filter(kind="approved").count() == 1


def test_the_same_form_sent_twice_at_once_counts_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from iam.changes.services import decisions

    in_force(TWO)
    change = desk.ask()
    true_check = decisions.check_request

    def then_again(parts: list[Change]) -> None:
        true_check(parts)
        monkeypatch.setattr(decisions, "check_request", true_check)
        desk.approve(Change.objects.get(pk=change.pk), "Hana Sato")

    monkeypatch.setattr(decisions, "check_request", then_again)
    with pytest.raises(RefusedError, match="already approved this"):
        desk.approve(change, "Hana Sato")
    assert Approval.objects.count() == 1
    change.refresh_from_db()
    assert change.state == ChangeState.AWAITING


def test_whoever_has_agreed_or_decides_later_may_still_reject(desk: Desk) -> None:
    in_force(LEAD_FIRST)
    change = desk.approve(desk.ask(), "Elif Kaya")
    services.reject(change, actor=desk.again("Elif Kaya"), comment="I was wrong")
    change.refresh_from_db()
    assert change.state == ChangeState.REJECTED
    assert waits_for(desk) == set()


def test_single_operator_mode_is_one_person_for_all_stages_and_said_aloud(desk: Desk, settings: Any) -> None:
    settings.SINGLE_OPERATOR = True
    in_force(TWO)
    desk.person("Ines Duarte", Role.APPROVER)
    change = desk.approve(desk.ask(), "Ines Duarte")
    assert change.state == ChangeState.QUEUED
    assert Entry.objects.get(kind="change.approved_alone").data["single_operator"] is True


def test_a_request_waits_as_long_as_its_rule_says_and_the_clock_starts_anew_at_the_approval(
    desk: Desk,
) -> None:
    in_force(rule(ApprovalStage((APPROVERS,)), wait_hours=3, remind_hours=0))
    change = desk.ask()
    now = datetime.now(tz=UTC)
    assert change.expires_at is not None
    assert timedelta(hours=2, minutes=59) < change.expires_at - now <= timedelta(hours=3)
    desk.approve(change, "Hana Sato")
    assert change.expires_at - now > timedelta(hours=23)


def test_what_was_asked_for_before_there_were_rules_still_finds_its_approvers(desk: Desk) -> None:
    change = desk.ask()
    Requirement.objects.all().delete()
    assert waits_for(desk) == {"Hana Sato", "Jonas Berg"}
    assert not StageDecider.objects.exists()
    assert desk.approve(change, "Hana Sato").state == ChangeState.QUEUED
