"""Auditors see who holds roles in Gatehouse, take it away as a file, and change nothing."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from django.test import Client

from console.audit.entry_sentences import words_of
from console.operators.models import Operator
from console.operators.queries import PAGE
from iam.directory.models import Identity, Person, Role, RoleAssignment, RuleKind, Team, TeamRule
from iam.journal.models import Entry
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor() -> Client:
    client = Client()
    client.force_login(factories.operator(Role.AUDITOR, name="Amara Diallo"))
    return client


@pytest.fixture
def pages(kwame: Operator, ines: Operator) -> list[str]:
    """Every page about operators: the list, an administrator, a team lead with an IAM user, a person without
    a sign-in, the teams, a team.
    """
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments-dev")
    factories.assign(kwame.person, Role.TEAM_LEAD, team=team)
    Identity.objects.create(person=kwame.person, user_arn="arn:aws:iam::111111111111:user/kwame")
    Team.objects.create(slug="data", name="Data")
    people = (kwame.person, ines.person, factories.person("Nora Whitfield"))
    return [
        "/operators/",
        *(f"/operators/{person.pk}/" for person in people),
        "/operators/teams/",
        "/operators/teams/payments/",
        "/operators/teams/data/",
    ]


def _main(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode().partition("<main")[2].partition("</main>")[0]


def test_an_auditor_reads_every_page_without_a_form_or_a_dead_end(auditor: Client, pages: list[str]) -> None:
    for page in pages:
        main = _main(auditor, page)
        assert 'method="post"' not in main, page
        assert "<form" not in main or page == "/operators/", page
        for address in re.findall(r'href="(/[^"#]*)"', main):
            assert auditor.get(address.replace("&amp;", "&")).status_code == 200, (page, address)


def test_an_auditor_reads_the_facts(auditor: Client, pages: list[str], kwame: Operator) -> None:
    person = _main(auditor, f"/operators/{kwame.person_id}/")
    for words in ("Team lead", "Payments", "user/kwame", kwame.username):
        assert words in person
    assert "payments-dev" in _main(auditor, "/operators/teams/payments/")
    assert "Kwame Boateng" in _main(auditor, "/operators/teams/payments/")


def test_nobody_without_a_sign_in_is_said_to_be_able_to_sign_in(auditor: Client, pages: list[str]) -> None:
    invited = factories.operator(None, name="Rosa Lind").person
    words = "They can sign in"
    assert words in _main(auditor, f"/operators/{invited.pk}/")
    assert words not in _main(auditor, f"/operators/{Person.objects.get(name='Nora Whitfield').pk}/")


def test_an_administrator_keeps_the_forms(ines: Operator, pages: list[str]) -> None:
    client = Client()
    client.force_login(ines)
    for page in pages[1:]:
        if page != f"/operators/{ines.person_id}/":
            assert 'method="post"' in _main(client, page), page


def test_an_auditor_sends_no_form(auditor: Client, pages: list[str], kwame: Operator) -> None:
    before = (Team.objects.count(), TeamRule.objects.count(), RoleAssignment.objects.count())
    assert auditor.post("/operators/teams/", {"name": "Mine"}).status_code == 404
    rule = {"kind": "group", "value": "x", "account_id": ""}
    assert auditor.post("/operators/teams/payments/", rule).status_code == 404
    roles = f"/operators/{kwame.person_id}/roles/"
    assert auditor.post(roles, {"role": "approver", "account_id": ""}).status_code == 404
    assert (Team.objects.count(), TeamRule.objects.count(), RoleAssignment.objects.count()) == before


def _rows(client: Client, query: str = "") -> list[dict[str, str]]:
    answer: Any = client.get(f"/operators/export.csv{query}")
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))


def test_the_file_has_a_line_for_each_role_of_everybody(
    auditor: Client, pages: list[str], kwame: Operator
) -> None:
    factories.assign(kwame.person, Role.AUDITOR, account_id="111111111111")
    for number in range(PAGE + 3):
        factories.person(f"Person {number:03d}")
    rows = _rows(auditor)
    assert {row["person_id"] for row in rows} == {str(person.pk) for person in Person.objects.all()}
    kwames = [(r["role"], r["account_id"], r["team"]) for r in rows if r["name"] == "Kwame Boateng"]
    assert sorted(kwames) == [
        ("Auditor", "111111111111", ""),
        ("Member", "all", ""),
        ("Team lead", "all", "Payments"),
    ]
    without = next(row for row in rows if row["name"] == "Nora Whitfield")
    assert (without["role"], without["account_id"], without["state"]) == ("", "", "No sign-in")


def test_the_file_is_filtered_as_the_list_and_noted_in_the_journal(auditor: Client, pages: list[str]) -> None:
    links = re.findall(r'href="(/operators/export[^"]*)"', _main(auditor, "/operators/?role=administrator"))
    assert links == [f"/operators/export.{form}?role=administrator" for form in ("csv", "json")]
    assert {row["name"] for row in _rows(auditor, "?role=administrator")} == {"Ines Duarte"}
    answer: Any = auditor.get(links[1])
    body = json.loads(answer.getvalue())
    assert body["filters"]["role"] == "administrator"
    assert [row["name"] for row in body["rows"]] == ["Ines Duarte"]
    entries = list(Entry.objects.filter(kind="list.export").order_by("id"))
    assert [words_of(entry) for entry in entries] == [
        "Amara Diallo exported the list of operators as CSV",
        "Amara Diallo exported the list of operators as JSON",
    ]


@pytest.mark.parametrize("role", [Role.APPROVER, Role.TEAM_LEAD, Role.MEMBER])
def test_others_see_nothing_of_it(role: Role, pages: list[str]) -> None:
    client = Client()
    fields = {"team": Team.objects.get(slug="data")} if role is Role.TEAM_LEAD else {}
    client.force_login(factories.operator(role, name="Petra Lind", **fields))
    for page in (*pages, "/operators/export.csv", "/operators/export.json"):
        assert client.get(page).status_code == 404, page


def test_no_other_form_of_file(auditor: Client) -> None:
    assert auditor.get("/operators/export.xml").status_code == 404
