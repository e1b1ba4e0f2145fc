"""An installation without an account: every page says so, and leads whoever can to the next step."""

from __future__ import annotations

import pytest

from iam.directory.models import Role, Team
from tests import factories
from tests.changes.site import signed_in

pytestmark = pytest.mark.django_db
LISTS = ("people", "groups", "roles", "policies", "instance-profiles", "providers")


def page(role: Role, address: str, **fields: object) -> str:
    """A page as somebody with the role sees it."""
    response = signed_in(factories.operator(role, name=f"New {role.label}", **fields)).get(address)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("name", LISTS)
def test_a_list_leads_an_administrator_to_the_first_account(name: str) -> None:
    seen = page(Role.ADMINISTRATOR, f"/{name}/")
    assert "No account is connected" in seen
    assert 'href="/accounts/connect/"' in seen
    assert 'href="/accounts/upload/"' in seen
    for useless in ("Export CSV", "Saved views", 'role="search" aria-label="Filter'):
        assert useless not in seen


@pytest.mark.parametrize("name", LISTS)
def test_a_list_asks_nobody_to_do_what_they_may_not(name: str) -> None:
    seen = page(Role.AUDITOR, f"/{name}/")
    assert "When an administrator connects one" in seen
    assert "/accounts/connect/" not in seen


@pytest.mark.parametrize(
    ("role", "address", "words"),
    [
        (Role.AUDITOR, "/search/?q=maya", "No account is connected"),
        (Role.APPROVER, "/compare/", "No account to compare"),
        (Role.AUDITOR, "/", "No AWS account is connected yet"),
        (Role.ADMINISTRATOR, "/", "Add your first AWS account"),
        (Role.ADMINISTRATOR, "/accounts/", "No account is connected"),
        (Role.AUDITOR, "/accounts/", "No account is connected"),
    ],
)
def test_the_other_pages_say_it_too(role: Role, address: str, words: str) -> None:
    assert words in page(role, address)


def test_nothing_is_offered_to_be_read() -> None:
    assert "Read all now" not in page(Role.ADMINISTRATOR, "/accounts/")


def test_a_team_lead_is_told_who_can_help() -> None:
    team = Team.objects.create(slug="payments", name="Payments")
    assert "as soon as an administrator connects one" in page(Role.TEAM_LEAD, "/", team=team)
