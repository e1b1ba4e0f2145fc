"""Nobody approves what is about their own access: a request of each kind, and each way it can be about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from console.operators.models import Operator
from iam.activity.models import RoleUser
from iam.audit.approval_requests.registry import REQUEST_KINDS
from iam.audit.assertions import proposals
from iam.audit.assertions.models import AssertionProposal, AssertionResult, StandingAssertion
from iam.audit.assertions.terms import AllowedKind, AllowedPrincipal, AssertionTerms
from iam.audit.findings import acceptance
from iam.audit.findings.models import AuditFinding, FindingAcceptance
from iam.audit.frameworks import decisions
from iam.audit.frameworks.definitions import all_frameworks
from iam.audit.frameworks.models import RequirementDecision
from iam.audit.reviews import rule_requests
from iam.audit.reviews.duties import SodTerms
from iam.audit.reviews.models import SodRule
from iam.directory.models import Person
from iam.guard import Viewer
from iam.linking.models import UserMatch
from iam.mirror.models import Entity
from tests import factories
from tests.iam.audit.approval_requests.made import MAKERS
from tests.iam.audit.reviews import made

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
Case = Callable[[made.World, Entity], Any]
NOT_ABOUT_ANYONE = {
    "sign-off": "who decided about a row can't acknowledge it, and a review is about everyone’s access",
    "trail-source": "a source is about the events of whole accounts",
}
"""Kinds of which no request is about one person's access, and why."""


def now() -> datetime:
    return datetime.now(tz=UTC)


def _acceptance(world: made.World, **columns: Any) -> FindingAcceptance:
    row = MAKERS["acceptance"]((world.account.account_id,), world.lead)
    AuditFinding.objects.filter(pk=row.finding_id).update(**columns)
    row.refresh_from_db()
    return row


def finding_about_it(world: made.World, own: Entity) -> FindingAcceptance:
    return _acceptance(world, subject=own.arn)


def finding_that_affects_nobody_else(world: made.World, own: Entity) -> FindingAcceptance:
    return _acceptance(world, subject=world.policy.arn, related=[own.arn], affected=1)


def exception_that_covers_it(world: made.World, own: Entity) -> RequirementDecision:
    row = MAKERS["requirement"]((world.account.account_id,), world.lead)
    row.covers = ["something-else", f"first-password:{own.arn}"]
    row.save()
    return row


def exception_of_a_finding_about_it(world: made.World, own: Entity) -> RequirementDecision:
    finding = _acceptance(world, subject=own.arn).finding
    row = MAKERS["requirement"]((world.account.account_id,), world.lead)
    row.covers = [finding.key]
    row.save()
    return row


def _assertion(world: made.World, *allowed: AllowedPrincipal) -> AssertionProposal:
    row = MAKERS["assertion"]((world.account.account_id,), world.lead)
    terms = AssertionTerms(("iam:CreateUser",), ("*",), allowed, (world.account.account_id,)).to_json()
    AssertionProposal.objects.filter(pk=row.pk).update(terms=terms)
    row.refresh_from_db()
    return row


def assertion_that_allows_it(world: made.World, own: Entity) -> AssertionProposal:
    return _assertion(world, AllowedPrincipal(AllowedKind(own.kind), f"{own.name[:2]}*"))


def assertion_that_comes_to_allow_it(world: made.World, own: Entity) -> AssertionProposal:
    row = assertion_that_allows_it(world, own)
    AssertionProposal.objects.filter(pk=row.pk).update(act="change")
    row.refresh_from_db()
    return row


def end_of_an_assertion_that_it_breaks(world: made.World, own: Entity) -> AssertionProposal:
    row = _assertion(world)
    AssertionProposal.objects.filter(pk=row.pk).update(act="retire")
    StandingAssertion.objects.filter(pk=row.assertion_id).update(status="active")
    AssertionResult.objects.create(
        assertion=row.assertion, account=world.account, checked_at=now(),
        breaches=[{"arn": own.arn, "entity": own.pk, "action": "iam:CreateUser", "resource": "*",
                   "is_sure": True, "policy": "", "statement": ""}],
    )  # fmt: skip
    row.refresh_from_db()
    return row


def _rule(world: made.World, *exempt: str) -> SodRule:
    row = MAKERS["duties"]((world.account.account_id,), world.lead)
    terms = SodTerms(
        ("iam:CreateUser",), ("iam:AttachUserPolicy",), (world.account.account_id,), exempt
    ).to_json()
    SodRule.objects.filter(pk=row.pk).update(terms=terms)
    row.refresh_from_db()
    return row


def rule_that_leaves_it_out(world: made.World, own: Entity) -> SodRule:
    return _rule(world, f"{own.name[:2].upper()}*")


def end_of_a_rule_that_it_breaks(world: made.World, own: Entity) -> SodRule:
    if own.name != "maya":
        factories.inline(own, "everything", body=made.ADMINISTRATOR)
    row = _rule(world)
    SodRule.objects.filter(pk=row.pk).update(status="active", retirement_reason="Not needed")
    row.refresh_from_db()
    return row


CASES: dict[str, tuple[str, Case]] = {
    "a finding about it": ("acceptance", finding_about_it),
    "a finding that affects nobody else": ("acceptance", finding_that_affects_nobody_else),
    "an exception that covers it": ("requirement", exception_that_covers_it),
    "an exception of a finding about it": ("requirement", exception_of_a_finding_about_it),
    "an assertion that allows it": ("assertion", assertion_that_allows_it),
    "an assertion that comes to allow it": ("assertion", assertion_that_comes_to_allow_it),
    "the end of an assertion that it breaks": ("assertion", end_of_an_assertion_that_it_breaks),
    "a rule that leaves it out": ("duties", rule_that_leaves_it_out),
    "the end of a rule that it breaks": ("duties", end_of_a_rule_that_it_breaks),
}


def decide(row: Any, viewer: Viewer, *, is_approved: bool, is_single: bool = False) -> str:
    """What the service of its kind refuses; "" if it decides."""
    options = {"is_approved": is_approved, "actor": viewer, "now": now(), "is_single": is_single}
    try:
        match row:
            case FindingAcceptance():
                acceptance.decide(row, **options)
            case RequirementDecision():
                decisions.answer(row, all_frameworks()[row.framework], **options)
            case AssertionProposal():
                proposals.decide(row, **options)
            case SodRule():
                rule_requests.decide(row, **options)
    except (
        acceptance.AcceptanceError,
        decisions.DecisionRefusedError,
        proposals.AssertionRefusedError,
        rule_requests.RuleRefusedError,
    ) as error:
        return str(error)
    return ""


def user_by_hand(world: made.World) -> Entity:
    return world.maya


def user_by_a_matching_method(world: made.World) -> Entity:
    said = [{"person": str(world.administrator.person_id), "how": "name", "words": "name"}]
    UserMatch.objects.create(user=world.tomas, account=world.account, standing="ambiguous", said=said)
    return world.tomas


def role_by_single_sign_on(world: made.World) -> Entity:
    RoleUser.objects.create(role_arn=world.role.arn, name="maya@example.com", last_at=now())
    return world.role


OWN = {
    "user by hand": user_by_hand,
    "user by a matching method": user_by_a_matching_method,
    "role by single sign-on": role_by_single_sign_on,
}


def test_there_is_a_case_of_each_kind() -> None:
    assert {kind for kind, _ in CASES.values()} | NOT_ABOUT_ANYONE.keys() == set(MAKERS)


@pytest.mark.parametrize("own", OWN)
@pytest.mark.parametrize("case", CASES)
def test_nobody_approves_what_is_about_their_own_access(case: str, own: str) -> None:
    world = made.world()
    entity = OWN[own](world)
    row = CASES[case][1](world, entity)
    words = decide(row, world.administrator, is_approved=True)
    assert f"in {world.account.name} is yours or used by you" in words
    assert "you can decline it" in words
    row.refresh_from_db()
    # Somebody else approves it.
    assert decide(row, world.approver, is_approved=True) == ""


@pytest.mark.parametrize("is_single", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_it_can_be_declined_and_a_single_operator_can_approve_it(case: str, is_single: bool) -> None:
    world = made.world()
    row = CASES[case][1](world, world.maya)
    assert decide(row, world.administrator, is_approved=is_single, is_single=is_single) == ""


@pytest.mark.parametrize("kind", [kind.name for kind in REQUEST_KINDS])
def test_what_is_about_others_can_be_approved(kind: str) -> None:
    world = made.world()
    row = MAKERS[kind]((world.account.account_id,), world.lead)
    (found,) = (each for each in REQUEST_KINDS if each.name == kind)
    assert found.why_not_approve(row, world.administrator, is_single=False) == ""


@pytest.mark.parametrize("case", CASES)
def test_the_page_says_why_and_offers_to_decline(case: str) -> None:
    world = made.world()
    kind, make = CASES[case]
    row = make(world, world.maya)
    (found,) = (each for each in REQUEST_KINDS if each.name == kind)
    person = Person.objects.get(pk=world.administrator.person_id)
    client = Client()
    client.force_login(Operator.objects.create_user(username="maya", person=person))
    page = client.get(found.path(row)).content.decode()
    assert "is yours or used by you" in page
    assert 'value="decline"' in page
    assert 'name="decision" value="approve"' not in page
    other = Person.objects.get(pk=world.approver.person_id)
    client.force_login(Operator.objects.create_user(username="hana", person=other))
    page = client.get(found.path(row)).content.decode()
    assert 'name="decision" value="approve"' in page
    assert "is yours or used by you" not in page
