"""Changing the rules is a change: one proposes, another agrees, and the waiting requests keep theirs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iam.changes.approval import proposals
from iam.changes.approval.models import RuleSet, RulesState
from iam.changes.approval.needs import rules_in_force
from iam.changes.approval.rules import SHIPPED, ApprovalRule
from iam.changes.errors import RefusedError
from iam.directory.models import Role, RoleAssignment
from iam.journal.models import Entry
from iam.notify.models import OutgoingMessage
from tests.iam.changes.approval.conftest import Desk

pytestmark = pytest.mark.on_postgresql

LAX = replace(SHIPPED[-1], name="Everybody may")


@pytest.fixture
def office(desk: Desk) -> Desk:
    """With a second administrator, and the first run over."""
    desk.person("Ada Lund", Role.ADMINISTRATOR)
    return desk


def proposed(desk: Desk, *rules: ApprovalRule, name: str = "Ines Duarte") -> RuleSet:
    """Other rules, asked for."""
    actor = desk.again(name)
    draft = proposals.draft_of(actor)
    proposals.save_draft(draft, rules or (LAX,), actor=actor)
    proposals.propose(draft, actor=actor, reason="Too slow")
    return draft


def test_another_administrator_puts_the_rules_in_force(office: Desk) -> None:
    rules = proposed(office)
    assert rules_in_force() == (0, SHIPPED)
    assert [outgoing.name for outgoing in OutgoingMessage.objects.filter(key__contains="rules")] == [
        "Ada Lund"
    ]
    proposals.agree(rules, actor=office.again("Ada Lund"), comment="Fine")

    assert rules_in_force() == (1, (LAX,))
    entry = Entry.objects.get(kind="approval_rules.approve")
    assert (entry.actor_label, entry.data["author"], entry.data["rules"][0]["name"]) == (
        "Ada Lund",
        "Ines Duarte",
        "Everybody may",
    )


def test_the_author_does_not_agree_to_their_own_rules(office: Desk) -> None:
    rules = proposed(office)
    office.person("Ines Duarte", Role.APPROVER)
    with pytest.raises(RefusedError, match="someone else decides"):
        proposals.agree(rules, actor=office.again("Ines Duarte"))
    assert rules_in_force()[0] == 0


@pytest.mark.parametrize("name", ["Hana Sato", "Elif Kaya", "Tomas Lind", "Amara Diallo"])
def test_while_there_is_another_administrator_nobody_else_decides(office: Desk, name: str) -> None:
    rules = proposed(office)
    for act in (proposals.agree, proposals.refuse):
        with pytest.raises(RefusedError, match="Another administrator must decide"):
            act(rules, actor=office.again(name), comment="x")
    assert rules_in_force()[0] == 0


def test_where_there_is_no_other_administrator_an_approver_agrees(desk: Desk) -> None:
    rules = proposed(desk)
    proposals.agree(rules, actor=desk.again("Hana Sato"))
    assert rules_in_force()[0] == 1


@pytest.mark.parametrize("name", ["Hana Sato", "Elif Kaya", "Amara Diallo"])
def test_only_an_administrator_of_all_accounts_proposes(office: Desk, name: str) -> None:
    with pytest.raises(RefusedError, match="Only an administrator"):
        proposals.draft_of(office.again(name))
    office.person("Ben Okri", Role.ADMINISTRATOR, account_id="111111111111")
    with pytest.raises(RefusedError, match="Only an administrator"):
        proposals.draft_of(office.again("Ben Okri"))


def test_the_draft_of_somebody_else_is_not_touched(office: Desk) -> None:
    draft = proposals.draft_of(office.again("Ines Duarte"))
    other = office.again("Ada Lund")
    with pytest.raises(RefusedError, match="someone else"):
        proposals.save_draft(draft, [LAX], actor=other)
    with pytest.raises(RefusedError, match="someone else"):
        proposals.propose(draft, actor=other, reason="x")


def test_rules_that_cannot_be_are_not_proposed(office: Desk) -> None:
    with pytest.raises(RefusedError, match="must apply to all requests"):
        proposed(office, replace(LAX, accounts=("111111111111",)))
    with pytest.raises(RefusedError, match="are the same as the current ones"):
        proposed(office, *SHIPPED)
    assert not RuleSet.objects.filter(state=RulesState.PROPOSED).exists()


def test_a_proposal_on_rules_that_are_gone_is_not_put_in_force(office: Desk) -> None:
    first = proposed(office)
    second = proposed(office, replace(LAX, name="Other"), name="Ada Lund")
    proposals.agree(first, actor=office.again("Ada Lund"))
    with pytest.raises(RefusedError, match="version 1 is now in effect"):
        proposals.agree(second, actor=office.again("Ines Duarte"))
    assert rules_in_force() == (1, (LAX,))


def test_a_decision_is_taken_once(office: Desk) -> None:
    rules = proposed(office)
    stale = RuleSet.objects.get(pk=rules.pk)
    proposals.refuse(rules, actor=office.again("Ada Lund"), comment="No")
    with pytest.raises(RefusedError):
        proposals.agree(stale, actor=office.again("Ada Lund"))
    with pytest.raises(RefusedError, match="Only the person who proposed"):
        proposals.take_back(stale, actor=office.again("Ada Lund"))
    assert rules_in_force()[0] == 0


def test_rejecting_needs_a_word_and_the_author_may_withdraw(office: Desk) -> None:
    rules = proposed(office)
    with pytest.raises(RefusedError, match="Enter a comment"):
        proposals.refuse(rules, actor=office.again("Ada Lund"), comment=" ")
    proposals.take_back(rules, actor=office.again("Ines Duarte"))
    assert rules.state == RulesState.WITHDRAWN


def test_on_the_first_run_one_is_enough_and_it_is_said_aloud(desk: Desk) -> None:
    RoleAssignment.objects.filter(role=Role.APPROVER).delete()
    rules = proposed(desk)
    assert rules.state == RulesState.ACTIVE
    assert rules.is_alone
    assert Entry.objects.get(kind="approval_rules.approve").data["first_run"] is True


def test_a_single_operator_decides_alone_and_it_is_said_aloud(office: Desk, settings: Any) -> None:
    settings.SINGLE_OPERATOR = True
    assert proposed(office).is_alone
    assert Entry.objects.get(kind="approval_rules.approve").data["single_operator"] is True
