"""Each kind of audit request is listed for those who can decide about it, and they are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from iam.audit.approval_requests.registry import (
    REQUEST_KINDS,
    countable,
    decided_by_viewer,
    requested_by_viewer,
    waiting_for_viewer,
)
from iam.audit.assertions.models import AssertionProposal, StandingAssertion
from iam.audit.reviews.models import SodRule
from iam.audit.reviews.rule_requests import request_retirement
from iam.audit.reviews.sign_off import acknowledge, sign
from iam.directory.models import Person, Role
from iam.guard import Viewer, viewer_for
from iam.notify.events import NotifyEvent
from iam.notify.models import MessageChannel, OutgoingMessage, Preference
from iam.people.runs.models import RunState
from tests import factories
from tests.iam.audit.approval_requests.made import MAKERS, NOW, SERVICES
from tests.iam.audit.reviews.made import opened, person, world

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
A, B, C = "111111111111", "222222222222", "333333333333"
SCOPES: tuple[tuple[str, ...], ...] = ((), (A,), (B,), (A, B))
WHOLE = {"trail-source"}
"""Kinds that are about all accounts, always."""
PEOPLE = {
    "Administrator": [(Role.ADMINISTRATOR, "")],
    "Approver": [(Role.APPROVER, "")],
    "Requester": [(Role.APPROVER, "")],
    "Approver of A": [(Role.APPROVER, A)],
    "Approver of A and B": [(Role.APPROVER, A), (Role.ADMINISTRATOR, B)],
    "Approver of C": [(Role.APPROVER, C)],
    "Auditor": [(Role.AUDITOR, "")],
    "Member": [(Role.MEMBER, "")],
}


@pytest.fixture
def people(settings: Any) -> dict[str, Person]:
    settings.MAIL_IS_CONFIGURED = True
    for number in (A, B, C):
        factories.account(number, name=number)
    people = {}
    for name, roles in PEOPLE.items():
        someone = people[name] = Person.objects.create(name=name, email=f"{len(people)}@example.com")
        for role, number in roles:
            someone.assignments.create(role=role, account_id=number)
    return people


def viewers(people: dict[str, Person]) -> dict[str, Viewer]:
    return {name: viewer_for(someone) for name, someone in people.items()}


def make(kind: str, people: dict[str, Person]) -> list[Any]:
    """A request about each scope that the kind can have."""
    by = viewer_for(people["Requester"])
    scopes = [(A,), (B,)] if kind == "acceptance" else SCOPES
    return [MAKERS[kind](numbers, by) for numbers in scopes]


def test_there_is_a_test_of_each_kind() -> None:
    assert [kind.name for kind in REQUEST_KINDS] == list(MAKERS) == list(SERVICES)


@pytest.mark.parametrize("kind", REQUEST_KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("is_single", [False, True])
def test_a_request_is_listed_for_those_who_can_decide(
    kind: Any, is_single: bool, people: dict[str, Person]
) -> None:
    rows = make(kind.name, people)
    listed: dict[str, set[Any]] = {}
    for name, viewer in viewers(people).items():
        listed[name] = set(kind.decidable(viewer, is_single=is_single))
        assert listed[name] == {row for row in rows if SERVICES[kind.name](row, viewer, is_single)}, name
        counted = countable(viewer, is_single=is_single)
        assert (counted.count() if counted is not None else 0) == len(listed[name])
        waiting = waiting_for_viewer(viewer, is_single=is_single, most=100)
        assert {each.row for each in waiting} == listed[name]
    assert listed["Approver"] == set(rows)
    if kind.name in WHOLE:
        assert listed["Approver of A"] == listed["Approver of A and B"] == set()
    else:
        assert len(listed["Approver of A"]) == 1
        assert len(listed["Approver of A and B"]) == len(rows) - (kind.name != "acceptance")
    assert listed["Approver of C"] == listed["Auditor"] == listed["Member"] == set()
    assert bool(listed["Requester"]) is (is_single and kind.alone)


@pytest.mark.parametrize("kind", REQUEST_KINDS, ids=lambda kind: kind.name)
def test_those_who_can_decide_are_told_once(kind: Any, people: dict[str, Person]) -> None:
    for row in make(kind.name, people):
        OutgoingMessage.objects.all().delete()
        kind.tell(row, at=NOW)
        kind.tell(row, at=NOW)
        able = {
            str(people[name].pk)
            for name, viewer in viewers(people).items()
            if SERVICES[kind.name](row, viewer, False)
        }
        mails = OutgoingMessage.objects.filter(channel=MessageChannel.EMAIL)
        assert sorted(mails.values_list("recipient", flat=True)) == sorted(able)
        assert all(kind.title(row) in mail.subject and mail.path == kind.path(row) for mail in mails)


def test_who_does_not_want_to_be_told_is_not(people: dict[str, Person]) -> None:
    Preference.objects.create(
        person_id=people["Approver"].pk,
        event=NotifyEvent.WAITING,
        channel=MessageChannel.EMAIL,
        is_wanted=False,
    )
    (kind,) = (kind for kind in REQUEST_KINDS if kind.name == "duties")
    kind.tell(make("duties", people)[0], at=NOW)
    recipients = set(OutgoingMessage.objects.values_list("recipient", flat=True))
    assert str(people["Administrator"].pk) in recipients
    assert str(people["Approver"].pk) not in recipients


def test_who_reviewed_something_does_not_acknowledge_it() -> None:
    made = world()
    campaign = opened(made)
    campaign.rows.update(decided_by=made.approver.person_id)
    campaign.state, campaign.signed_by = RunState.WAITING, made.administrator.person_id
    campaign.save(update_fields=["state", "signed_by"])
    other = person("Jonas", Role.APPROVER)
    (kind,) = (kind for kind in REQUEST_KINDS if kind.name == "sign-off")
    assert list(kind.decidable(viewer_for(other), is_single=True)) == [campaign]
    assert list(kind.decidable(made.approver, is_single=True)) == []
    assert list(kind.decidable(made.administrator, is_single=True)) == []
    assert kind.who_decides(campaign) == [other]


def test_a_requested_retirement_waits_and_tells(people: dict[str, Person]) -> None:
    by = viewer_for(people["Requester"])
    rule = MAKERS["duties"]((), by)
    SodRule.objects.filter(pk=rule.pk).update(status="active")
    approver = viewer_for(people["Approver"])
    assert waiting_for_viewer(approver, is_single=False, most=9) == []
    request_retirement(rule, reason="No longer needed", actor=by, now=NOW)
    (waiting,) = waiting_for_viewer(approver, is_single=False, most=9)
    assert waiting.kind.title(waiting.row) == f"Retire separation-of-duties rule: {rule.name}"
    assert OutgoingMessage.objects.filter(recipient=str(people["Approver"].pk)).count() == 1
    assert [each.row for each in requested_by_viewer(by, most=9)] == [rule]


def test_a_change_is_about_the_accounts_before_and_after(people: dict[str, Person]) -> None:
    by = viewer_for(people["Requester"])
    proposal = MAKERS["assertion"]((A,), by)
    StandingAssertion.objects.update(terms=proposal.terms | {"accounts": [C]})
    AssertionProposal.objects.update(act="change")
    for name, viewer in viewers(people).items():
        listed = {each.row.pk for each in waiting_for_viewer(viewer, is_single=False, most=9)}
        assert (proposal.pk in listed) is (name in ("Administrator", "Approver")), name
    told = {someone.name for someone in REQUEST_KINDS[2].who_decides(AssertionProposal.objects.get())}
    assert told == {"Administrator", "Approver"}


def test_who_sent_a_sign_off_back_and_who_acknowledged_it_both_see_what_they_decided() -> None:
    made = world()
    campaign = opened(made)
    campaign.rows.update(decision="keep", decided_by=made.lead.person_id)
    other = viewer_for(person("Jonas", Role.APPROVER))
    sign(campaign, note="", actor=made.administrator, now=NOW)
    acknowledge(campaign, is_accepted=False, note="Row 2", actor=other, now=NOW)
    sign(campaign, note="", actor=made.administrator, now=NOW)
    outcomes = {
        name: [each.kind.outcome(each.row) for each in decided_by_viewer(viewer, most=9)]
        for name, viewer in (("other", other), ("approver", made.approver))
    }
    assert outcomes == {"other": [("Sent back", "warn")], "approver": []}
    acknowledge(campaign, is_accepted=True, note="", actor=made.approver, now=NOW + timedelta(hours=1))
    (returned,) = decided_by_viewer(other, most=9)
    assert returned.kind.outcome(returned.row) == ("Sent back", "warn")
    assert returned.kind.decided_at(returned.row) == NOW
    (acknowledged,) = decided_by_viewer(made.approver, most=9)
    assert acknowledged.kind.outcome(acknowledged.row) == ("Acknowledged", "ok")
    assert decided_by_viewer(made.administrator, most=9) == []
