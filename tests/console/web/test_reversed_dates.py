"""A last day before the first is an error at its field, on each page with two days."""

from __future__ import annotations

import pytest
from django.test import Client

from iam.directory.models import Role
from tests import factories
from tests.console.findings.test_pages import signed_in, text

pytestmark = pytest.mark.django_db
PROBLEM = "The last day must not be before the first."
PAGES = {
    "activity": ("/activity/", "since", "until", "act", "Correct the dates to see calls."),
    "journal": ("/audit/journal/", "from", "to", "j", "Correct the dates to see entries."),
}
HTMX = {"HX-Request": "true"}


@pytest.fixture(params=PAGES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[Role.ADMINISTRATOR, Role.AUDITOR])
def client(request: pytest.FixtureRequest) -> Client:
    factories.account()
    return signed_in(request.param)


def address(name: str, first: str, last: str) -> str:
    page, since, until, *_ = PAGES[name]
    return f"{page}?{since}={first}&{until}={last}"


def test_it_is_said_at_the_field_and_the_days_stay(client: Client, name: str) -> None:
    *_, field, instead = PAGES[name]
    page = text(client, address(name, "2026-11-30", "2026-11-02"))
    assert f'value="2026-11-02" aria-invalid="true" aria-describedby="{field}-dates-error"' in page
    assert page.count(f'id="{field}-dates-error"') == 1
    assert PROBLEM in page
    assert instead in page
    assert 'value="2026-11-30"' in page


def test_an_update_of_the_list_says_it_and_takes_it_back(client: Client, name: str) -> None:
    field = PAGES[name][3]
    place = f'<span id="{field}-dates" hx-swap-oob="innerHTML">'
    part = client.get(address(name, "2026-11-30", "2026-11-02"), headers=HTMX).content.decode()
    assert f'{place}<span class="error" id="{field}-dates-error">' in part
    part = client.get(address(name, "2026-11-02", "2026-11-30"), headers=HTMX).content.decode()
    assert f"{place}</span>" in part


@pytest.mark.parametrize(
    ("first", "last"), [("2026-11-02", "2026-11-02"), ("", "2026-11-02"), ("2026-11-30", "")]
)
def test_other_days_are_none(client: Client, name: str, first: str, last: str) -> None:
    page = text(client, address(name, first, last))
    assert PROBLEM not in page
    assert "Correct the dates" not in page


def test_a_file_is_not_made_of_them(client: Client) -> None:
    query = "since=2026-11-30&until=2026-11-02"
    answer = client.get(f"/activity/export.csv?{query}")
    assert answer.status_code == 302
    assert answer["Location"] == f"/activity/?{query}"
    page = client.get("/audit/journal/?from=2026-11-30&to=2026-11-02&format=csv")
    assert PROBLEM in page.content.decode()
