"""No request that nobody could approve: refused before it is made, with who can change that; and said on its
page when it becomes one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.test import override_settings

from iam.changes import services
from iam.changes.approval import possible_approvers, stages
from iam.changes.approval.possible_approvers import NoApproverError, still_possible, who_could_approve
from iam.changes.approval.rules import (
    ADMINISTRATORS,
    APPROVERS,
    PERSON,
    ApprovalRule,
    ApprovalStage,
    ApproverSpec,
)
from iam.changes.models import Change, ChangeSet
from iam.changes.services.plans import plan_membership
from iam.directory.models import Identity, Person, Role, RoleAssignment
from iam.notify.models import OutgoingMessage
from tests.iam.changes.approval.conftest import Desk, in_force

pytestmark = pytest.mark.on_postgresql

ONE = ApprovalRule(key="one", name="One", stages=(ApprovalStage((APPROVERS,)),))
TWO = ApprovalRule(
    key="two", name="Two", stages=(ApprovalStage((APPROVERS,)), ApprovalStage((ADMINISTRATORS, APPROVERS)))
)


@pytest.fixture(autouse=True)
def _as_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "require_still_possible", possible_approvers.require_still_possible)


def without(desk: Desk, *names: str) -> None:
    """These people lose all their roles."""
    RoleAssignment.objects.filter(person__in=[desk.people[name].pk for name in names]).delete()


def is_theirs(desk: Desk, name: str) -> None:
    """The user of the requests is this person's."""
    Identity.objects.create(person=desk.people[name], user_arn=desk.user.arn)


def nobody_is_left(desk: Desk) -> None:
    without(desk, "Hana Sato", "Jonas Berg")


def only_the_subject_is_left(desk: Desk) -> None:
    without(desk, "Jonas Berg")
    is_theirs(desk, "Hana Sato")


def one_for_two_stages(desk: Desk) -> None:
    in_force(TWO)
    without(desk, "Jonas Berg")


def only_the_requester(desk: Desk) -> None:
    without(desk, "Hana Sato", "Jonas Berg")
    desk.person("Ines Duarte", Role.APPROVER)


def a_person_who_is_gone(desk: Desk) -> None:
    in_force(
        ApprovalRule(
            key="hana",
            name="Hana",
            stages=(ApprovalStage((ApproverSpec(PERSON, str(desk.people["Hana Sato"].pk)),)),),
        )
    )
    Person.objects.filter(pk=desk.people["Hana Sato"].pk).update(is_active=False)


@pytest.mark.parametrize(
    ("arrange", "why"),
    [
        (nobody_is_left, ["needs one approver in prod-core", "No one has that role"]),
        (only_the_subject_is_left, ["Hana Sato is among the people"]),
        (one_for_two_stages, ["then one administrator or approver", "That leaves only Hana Sato"]),
        (only_the_requester, ["No one approves their own request"]),
        (a_person_who_is_gone, ["No one has that role"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_request_that_nobody_could_approve_is_refused_and_nothing_is_written(
    desk: Desk, arrange: Callable[[Desk], None], why: list[str]
) -> None:
    in_force(ONE)
    arrange(desk)
    with pytest.raises(NoApproverError) as refused:
        desk.ask()
    for words in ["No one can approve this request.", "An administrator (Ines Duarte) can", *why]:
        assert words in refused.value.message
    assert not Change.objects.exists()
    assert not ChangeSet.objects.exists()
    assert not OutgoingMessage.objects.exists()


@pytest.mark.parametrize("is_about_others", [False, True])
def test_a_request_about_one_person_cannot_be_split(desk: Desk, is_about_others: bool) -> None:
    in_force(ONE)
    only_the_subject_is_left(desk)
    with pytest.raises(NoApproverError) as refused:
        desk.ask()
    approvers = refused.value.approvers
    assert not approvers.is_about_others
    problem = replace(approvers, is_about_others=is_about_others).problem
    assert ("Split it into two requests" in problem) is is_about_others


def test_who_is_no_administrator_reads_who_can_change_it(desk: Desk) -> None:
    in_force(ONE)
    nobody_is_left(desk)
    ines, elif_ = desk.again("Ines Duarte"), desk.again("Elif Kaya")
    plan = plan_membership(ines, user=desk.user, group=desk.group, do="add")
    asked = who_could_approve(
        [plan.operation], receipts=[plan.receipt.body], impact={}, requester=elif_.person_id
    )
    assert not asked.is_possible
    assert "An administrator (Ines Duarte) can give someone else the role under Operators" in asked.problem


def test_what_escalates_to_somebody_is_not_refused_and_says_when(desk: Desk) -> None:
    in_force(
        ApprovalRule(
            key="one",
            name="One",
            stages=(ApprovalStage((APPROVERS,)),),
            escalate_hours=8,
            escalate_to=(ADMINISTRATORS,),
        )
    )
    nobody_is_left(desk)
    desk.person("Ada Lund", Role.ADMINISTRATOR)
    change = desk.ask()
    approvers = _still(change)
    assert not approvers.is_possible_now
    assert approvers.is_possible
    assert "escalates to Ada Lund" in approvers.problem


def test_the_preview_says_the_same_as_the_request(desk: Desk) -> None:
    in_force(ONE)
    actor = desk.again("Ines Duarte")
    plan = plan_membership(actor, user=desk.user, group=desk.group, do="add")

    def asked() -> possible_approvers.PossibleApprovers:
        return who_could_approve(
            [plan.operation], receipts=[plan.receipt.body], impact={}, requester=actor.person_id
        )

    assert list(asked().people.values()) == ["Hana Sato", "Jonas Berg"]
    is_theirs(desk, "Hana Sato")
    assert list(asked().people.values()) == ["Jonas Berg"]
    assert list(asked().subjects.values()) == ["Hana Sato"]
    without(desk, "Jonas Berg")
    with pytest.raises(NoApproverError) as refused:
        desk.ask()
    assert refused.value.message == asked().problem


@override_settings(SINGLE_OPERATOR=True)
def test_in_single_operator_mode_one_approver_is_enough_for_all_stages(desk: Desk) -> None:
    in_force(TWO)
    only_the_requester(desk)
    assert desk.ask().pk


def test_a_request_whose_last_approver_loses_the_role_says_so(desk: Desk) -> None:
    in_force(ONE)
    change = desk.ask()
    assert _still(change).problem == ""
    nobody_is_left(desk)
    approvers = _still(change)
    assert not approvers.is_possible
    assert "An administrator (Ines Duarte) can" in approvers.problem


def test_who_has_agreed_is_not_needed_again(desk: Desk) -> None:
    in_force(TWO)
    change = desk.approve(desk.ask(), "Hana Sato")
    assert _still(change).is_possible_now
    without(desk, "Jonas Berg")
    assert not _still(change).is_possible


def _still(change: Change) -> possible_approvers.PossibleApprovers:
    change = Change.objects.get(pk=change.pk)
    requirement = change.change_set.requirement
    progress = services.decisions.current_progress(change)
    return still_possible(requirement, progress, parts=[change])
