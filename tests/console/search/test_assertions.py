"""The search finds standing assertions by name, for those who see one of their accounts."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from iam.audit.assertions.models import StandingAssertion
from iam.audit.assertions.terms import AllowedKind, AllowedPrincipal, AssertionTerms
from iam.directory.models import Role, Team
from tests import factories
from tests.console.findings.test_pages import signed_in, text
from tests.iam.audit.assertions.test_checks import assertion_of

pytestmark = pytest.mark.django_db
NAME = "Only BreakGlass creates users"
HTMX = {"HX-Request": "true"}


def link(assertion: StandingAssertion) -> str:
    return f'href="{reverse("findings:assertion", args=[assertion.pk])}"'


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR])
@pytest.mark.parametrize("typed", [NAME, "breakglass", "creates only", "CREATES USERS"])
def test_one_that_is_not_broken_is_found_by_its_name(role: Role, typed: str) -> None:
    assertion = assertion_of(name=NAME, state="held", checked_at=factories.FIRST_READ)
    client = signed_in(role)
    page = text(client, f"/search/?q={typed}")
    assert link(assertion) in page
    assert "Assertions" in page
    assert "Held" in page
    suggestions = client.get(f"/search/?q={typed}", headers=HTMX).content.decode()
    assert link(assertion) in suggestions
    assert "Assertion, Held" in suggestions


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"state": "broken", "checked_at": factories.FIRST_READ}, "Broken"),
        ({}, "Not checked yet"),
        ({"status": "requested"}, "Waiting for approval"),
        ({"status": "retired"}, "Retired"),
    ],
)
def test_its_state_is_said(fields: dict[str, Any], words: str) -> None:
    assertion = assertion_of(name=NAME, **fields)
    page = text(signed_in(Role.AUDITOR), "/search/?q=BreakGlass+creates")
    assert link(assertion) in page
    assert words in page


def test_active_ones_come_before_retired_ones_and_all_are_counted() -> None:
    retired = assertion_of(name="Users 0", status="retired", state="broken")
    active = [assertion_of(name=f"Users {number}", state="held") for number in range(1, 7)]
    page = text(signed_in(Role.AUDITOR), "/search/?q=users")
    assert [link(each) in page for each in active] == [True] * 5 + [False]
    assert link(retired) not in page


def test_an_operator_of_another_account_and_a_lead_find_none() -> None:
    factories.account()
    other = factories.account("222222222222", name="staging")
    allowed = (AllowedPrincipal(AllowedKind.ROLE, "BreakGlass"),)
    terms = AssertionTerms(("iam:CreateUser",), ("*",), allowed, ("111111111111",))
    assertion = assertion_of(name=NAME, terms=terms.to_json())
    elsewhere = Client()
    operator = factories.operator(None, name="Hana Sato")
    factories.assign(operator.person, Role.AUDITOR, account_id=other.account_id)
    elsewhere.force_login(operator)
    lead = signed_in(Role.TEAM_LEAD, team=Team.objects.create(name="Payments", slug="payments"))
    for client in (elsewhere, lead):
        assert link(assertion) not in text(client, "/search/?q=BreakGlass")
        assert link(assertion) not in client.get("/search/?q=BreakGlass", headers=HTMX).content.decode()
