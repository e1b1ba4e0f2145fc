"""Who sees operators of one account sees the people, roles and teams of that account in lists, pages and
files, and nothing of others.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from django.test import Client

from iam.directory.models import Appointment, Person, Role, RuleKind, Team
from iam.notify.models import OutgoingMessage
from tests import factories

pytestmark = pytest.mark.django_db
HERE, THERE = "111111111111", "222222222222"
SCOPED = (Role.ADMINISTRATOR, Role.AUDITOR)


def _person(name: str, role: Role | None, *, account_id: str = "", **fields: Any) -> Person:
    made: Person = factories.operator(None, name=name, arns=fields.pop("arns", ())).person
    if role:
        factories.assign(made, role, account_id=account_id, **fields)
    return made


@pytest.fixture
def people(db: None) -> dict[str, Person]:
    """Who concerns the account, and who does not."""
    here, there, everywhere = (
        Team.objects.create(slug=name, name=name.title()) for name in ("pay", "web", "all-of")
    )
    here.rules.create(kind=RuleKind.GROUP, value="pay", account_id=HERE)
    there.rules.create(kind=RuleKind.GROUP, value="web", account_id=THERE)
    everywhere.rules.create(kind=RuleKind.GROUP, value="ops")
    both = _person("Bo Both", Role.AUDITOR, account_id=HERE)
    factories.assign(both, Role.APPROVER, account_id=THERE)
    asked = _person("Wim Waits", None)
    for account_id in (HERE, THERE):
        Appointment.objects.create(
            person=asked, role=Role.APPROVER, account_id=account_id, asked_by=both.pk, asked_label="Bo Both"
        )
    return {
        "both": both,
        "asked": asked,
        "global": _person("Gil Global", Role.ADMINISTRATOR),
        "lead here": _person("Lea Lead", Role.TEAM_LEAD, team=here),
        "lead of all": _person("Ola Ops", Role.TEAM_LEAD, team=everywhere),
        "member here": _person("Mia Member", Role.MEMBER, arns=(f"arn:aws:iam::{HERE}:user/mia",)),
        "lead there": _person("Otto Other", Role.TEAM_LEAD, team=there),
        "approver there": _person("Tess There", Role.APPROVER, account_id=THERE),
        "member there": _person("Nik Nowhere", Role.MEMBER, arns=(f"arn:aws:iam::{THERE}:user/nik",)),
        "nobody": _person("Una Unknown", None),
    }


ELSEWHERE = ("lead there", "approver there", "member there", "nobody")


def _client(role: Role, account_id: str = HERE) -> Client:
    client = Client()
    operator = factories.operator(None, name=f"Viewer {role} {account_id}")
    factories.assign(operator.person, role, account_id=account_id)
    client.force_login(operator)
    return client


def _main(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return re.sub(r"\s+", " ", answer.content.decode().partition("<main")[2].partition("</main>")[0])


@pytest.mark.parametrize("role", SCOPED)
@pytest.mark.parametrize("query", ["", "?role=approver", "?role=team-lead", "?q=o", f"?q={THERE}"])
def test_the_list_and_its_file_name_only_who_concerns_the_account(
    people: dict[str, Person], role: Role, query: str
) -> None:
    client, everyone = _client(role), _client(role, "")
    page = _main(client, f"/operators/{query}")
    answer: Any = client.get(f"/operators/export.csv{query}")
    file = answer.getvalue().decode()
    for name, person in people.items():
        if name in ELSEWHERE:
            assert person.name not in page + file, (name, query)
        if query == "":
            assert (person.name in page) is (person.name in file) is (name not in ELSEWHERE), name
            assert person.name in _main(everyone, "/operators/")
    for text in (THERE, "Web"):
        assert text not in page.replace(f'value="{THERE}"', "")
        assert not any(text in row.values() for row in csv.DictReader(io.StringIO(file)))
    if query == "?role=approver":
        # The role that is asked for is held elsewhere: not even that much is told.
        assert people["both"].name not in page + file
    if query == "":
        assert "1 in other accounts" in page


@pytest.mark.parametrize("role", SCOPED)
def test_a_person_s_page_names_no_role_and_no_appointment_elsewhere(
    people: dict[str, Person], role: Role
) -> None:
    client = _client(role)
    for name in ("both", "asked"):
        page = _main(client, f"/operators/{people[name].pk}/")
        assert HERE in page
        assert THERE not in page
    assert "1 in accounts that you can’t see" in _main(client, f"/operators/{people['both'].pk}/")


def test_an_auditor_opens_nobody_else_and_an_administrator_finds_them_by_their_address_to_give_a_role(
    people: dict[str, Person],
) -> None:
    auditor, admin = _client(Role.AUDITOR), _client(Role.ADMINISTRATOR)
    other = people["approver there"]
    assert auditor.get(f"/operators/{other.pk}/").status_code == 404
    for part in (other.email, other.email.upper()):
        assert other.name not in _main(auditor, f"/operators/?q={part}")
        assert other.name in _main(admin, f"/operators/?q={part}")
    assert other.name not in _main(admin, f"/operators/?q={other.email[1:]}")
    page = _main(admin, f"/operators/{other.pk}/")
    assert THERE not in page
    assert "Last sign-in" not in page
    added = admin.post(f"/operators/{other.pk}/roles/", {"role": "auditor", "account_id": HERE})
    assert added.status_code == 302
    assert other.assignments.filter(role=Role.AUDITOR, account_id=HERE).exists()


@pytest.mark.parametrize("role", SCOPED)
def test_teams_of_other_accounts_are_not_listed(people: dict[str, Person], role: Role) -> None:
    client = _client(role)
    page = _main(client, "/operators/teams/")
    assert "Pay" in page
    assert "All-Of" in page
    assert ">Web<" not in page
    assert client.get("/operators/teams/web/").status_code == 404
    assert "Lea Lead" in _main(client, "/operators/teams/pay/")


EVERYONE_ONLY = ("/operators/new/", "/operators/sessions/", "/operators/set-up/", "/settings/notifications/")


def test_what_concerns_everyone_is_for_administrators_of_all_accounts(people: dict[str, Person]) -> None:
    """Adding people, the count of all sessions, and every message that was sent; nothing leads there
    either.
    """
    OutgoingMessage.objects.create(
        event="change.waiting", channel="email", key="k", subject="Tess There", due_at=factories.FIRST_READ
    )
    scoped, full = _client(Role.ADMINISTRATOR), _client(Role.ADMINISTRATOR, "")
    for address in EVERYONE_ONLY:
        assert scoped.get(address).status_code == 404, address
        assert full.get(address).status_code == 200, address
        assert f'href="{address}"' not in scoped.get("/operators/").content.decode(), address


def test_buttons_that_only_administrators_of_all_accounts_can_use_are_not_shown(
    people: dict[str, Person],
) -> None:
    scoped, full = _client(Role.ADMINISTRATOR), _client(Role.ADMINISTRATOR, "")
    page = f"/operators/{people['global'].pk}/"
    for action in ("deactivate", f"roles/{people['global'].assignments.get().pk}/remove"):
        assert f"{page}{action}/" in _main(full, page), action
        assert f"{page}{action}/" not in _main(scoped, page), action
    assert f"{page}roles/" in _main(scoped, page)
