"""The access levels beside the people of the list: loaded once for a page, for those whom the viewer sees."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.access.levels import LevelCounts, LevelsByAccount, levels_of, totals
from iam.policy.catalogue import catalogue
from tests import factories
from tests.console.access.effective.conftest import Place, allow

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def asked(client: Client, query: str = "") -> str:
    answer = client.get(f"/people/access-levels/{query}", headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


def cell(pk: int) -> str:
    return f'hx-swap-oob="innerHTML:tr:has([href^=&quot;/people/{pk}/&quot;])>.lv"'


def test_levels_count_what_is_allowed_in_some_way(place: Place) -> None:
    number = place.account.account_id
    levels = levels_of({place.maya.pk: number, place.tomas.pk: number, 999: number}, at=None)
    # s3:GetObject is of level Read; iam:PassRole, sqs:SendMessage and sqs:DeleteQueue are of level Write.
    assert levels == {place.maya.pk: LevelCounts(0, 1, 3, 0, 0), place.tomas.pk: LevelCounts(0, 0, 0, 0, 0)}


def test_an_administrator_has_all_that_there_are(place: Place) -> None:
    factories.inline(place.tomas, "all", body=allow("*"))
    number = place.account.account_id
    assert levels_of({place.tomas.pk: number}, at=None) == {place.tomas.pk: totals()}
    assert sum(totals()) == len(catalogue()) - 2  # two actions of STS need no permission


def test_files_have_the_same_levels_as_pages(place: Place) -> None:
    number = place.account.account_id
    whole = LevelsByAccount(None)
    for person in (place.maya, place.tomas):
        levels_now = levels_of({person.pk: number}, at=None)
        assert whole.levels_of_user(person.pk, account=number) == levels_now[person.pk]
    assert whole.levels_of_user(place.role.pk, account=number) is None
    assert whole.levels_of_user(place.maya.pk, account="999999999999") is None


def test_the_list_asks_once_for_all_of_its_rows(place: Place, auditor: Client) -> None:
    page = auditor.get("/people/?q=maya&sort=-name").content.decode()
    (address,) = re.findall(r'hx-get="(/people/access-levels/[^"]*)"', page)
    assert page.count('<td class="p3 lv"></td>') == 1
    bars = asked(auditor, "?" + address.replace("&amp;", "&").partition("?")[2])
    assert (cell(place.maya.pk) in bars, cell(place.tomas.pk) in bars) == (True, False)


def test_each_bar_says_in_words_how_much_it_is_and_leads_to_what_it_is(place: Place, auditor: Client) -> None:
    bars = asked(auditor)
    assert cell(place.tomas.pk) in bars
    assert f'<a href="/people/{place.maya.pk}/access/">' in bars
    assert f"Write: 3 of {totals().write:,} actions" in bars
    assert '<li data-l="write" data-f="1">' in bars
    assert '<li data-l="list" data-f="0">' in bars


def test_without_scripts_the_same_address_is_a_page(place: Place, auditor: Client) -> None:
    page = auditor.get("/people/access-levels/?q=maya").content.decode()
    assert "<h1>Access levels</h1>" in page
    assert f'<a href="/people/{place.maya.pk}/access/">maya.okafor</a>' in page
    assert f"Write: 3 of {totals().write:,} actions" in page
    assert "tomas" not in page.lower()
    assert 'href="/people/?q=maya"' in page
    assert "No IAM users" in auditor.get("/people/access-levels/?q=nobody").content.decode()


def test_a_team_lead_is_told_of_the_team_only(place: Place, lead: Client) -> None:
    bars = asked(lead)
    assert (cell(place.maya.pk) in bars, cell(place.tomas.pk) in bars) == (True, False)


def test_members_and_strangers_are_told_nothing(place: Place, member: Client) -> None:
    assert member.get("/people/access-levels/", headers=HTMX).status_code == 404
    assert Client().get("/people/access-levels/").status_code == 302


def test_levels_of_then_are_those_of_then(place: Place, auditor: Client) -> None:
    later = factories.FIRST_READ + timedelta(days=10)
    factories.inline(place.tomas, "later", body=allow("ec2:RunInstances"), since=later)
    then = f"{later - timedelta(days=1):%Y-%m-%dT%H:%M:%S}"
    assert "Write: 1 of" in asked(auditor, "?q=tomas")
    past = asked(auditor, f"?q=tomas&as-of={then}")
    assert "Write: 0 of" in past
    assert f"/access/?as-of={then.replace(':', '%3A')}" in past


def test_fifty_people_cost_as_many_queries_as_one(place: Place, auditor: Client) -> None:
    for number in range(49):
        factories.user(place.account, f"user-{number}")
    spent = []
    for query in ("?q=maya", "?q=user"):
        asked(auditor, query)
        with CaptureQueriesContext(connection) as captured:
            asked(auditor, query)
        spent.append(len(captured))
    # One of them finds the teams by which the list can be filtered.
    assert spent[0] == spent[1] <= 10
