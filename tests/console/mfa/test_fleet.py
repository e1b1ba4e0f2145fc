"""The fleet page: who lacks what they should have comes first, hardware where it is demanded, who sees whom,
what it costs.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.journal.models import Entry
from iam.mirror.models import Account, AccountFact, EdgeKind, Entity, Kind
from iam.people.campaigns.models import Campaign, Participant
from iam.people.fleet.calculation import calculate
from iam.people.fleet.models import HardwareDemand
from tests import factories
from tests.console.identities.lists.conftest import (
    SignIn,
    _nothing_counted_before,
    auditor,
    shown,
    sign_in,
    tabs,
)

__all__ = ["_nothing_counted_before", "auditor", "sign_in"]
pytestmark = pytest.mark.django_db
EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


@pytest.fixture
def account() -> Account:
    return factories.account()


def person(account: Account, login: str, *, is_admin: bool = False, **credentials: object) -> Entity:
    made = factories.user(account, login, credentials=credentials)
    if is_admin:
        factories.inline(made, body=EVERYTHING)
    return made


def device(user: Entity, serial: str, category: str) -> None:
    made = factories.entity(
        user.account, Kind.MFA_DEVICE, serial.rpartition("/")[2], arn="", category=category
    )
    Entity.objects.filter(pk=made.pk).update(owner=user, aws_id=serial)


def everybody(account: Account) -> None:
    person(account, "fine", mfa="virtual")
    person(account, "machine", mfa="none", has_password=False, active_keys=1)
    person(account, "unread", mfa="unread", has_password=None)
    person(account, "bare", mfa="none")
    person(account, "boss", is_admin=True, mfa="none", has_password=False, active_keys=1)
    person(account, "boss-with-app", is_admin=True, mfa="virtual")
    person(account, "boss-at-rest", is_admin=True, mfa="none", has_password=False)


def test_who_lacks_what_they_should_have_comes_first(auditor: Client, account: Account) -> None:
    everybody(account)
    response = auditor.get("/mfa/")
    assert shown(response) == [
        "boss", "bare", "unread", "boss-with-app", "fine", "boss-at-rest", "machine",
    ]  # fmt: skip
    assert ">Administrator</small>" in response.content.decode()


@pytest.mark.parametrize(
    ("view", "label", "expected"),
    [
        ("administrators", "Administrators without MFA", ["boss"]),
        ("no-mfa", "Console without MFA", ["bare"]),
        ("hardware", "Hardware MFA required", ["boss-with-app", "fine"]),
    ],
)
def test_a_view_of_the_fleet_shows_as_many_as_its_tab_counts(
    auditor: Client, account: Account, view: str, label: str, expected: list[str]
) -> None:
    everybody(account)
    HardwareDemand.objects.create(account=account, set_by="Ines")
    response = auditor.get(f"/mfa/?view={view}")
    assert sorted(shown(response)) == expected
    assert tabs(response)[label] == len(expected)


def test_administrators_and_the_people_of_a_team_can_be_looked_for(auditor: Client, account: Account) -> None:
    everybody(account)
    team = Team.objects.create(slug="core", name="Core")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="core")
    factories.edge(EdgeKind.MEMBER, Entity.objects.get(name="fine"), factories.group(account, "core"))
    bosses = shown(auditor.get("/mfa/?role=administrator"))
    assert sorted(bosses) == ["boss", "boss-at-rest", "boss-with-app"]
    row = auditor.get("/mfa/?q=boss-with-app").content.decode().partition("<tbody>")[2]
    assert row.count("Administrator") == 1, "once a row, on a phone as well"
    assert shown(auditor.get("/mfa/?team=core")) == ["fine"]


def test_a_device_is_told_apart_by_its_serial_number(auditor: Client, account: Account) -> None:
    user = person(account, "maya.okafor", mfa="several")
    device(user, "arn:aws:iam::111111111111:mfa/maya-phone", "virtual")
    device(user, "GAHT12345678", "hardware")
    page = auditor.get("/mfa/").content.decode()
    for words in ("App", "maya-phone", "Hardware token", "GAHT12345678"):
        assert words in page, words
    lines = auditor.get("/mfa/export.csv").getvalue().decode()
    assert "hardware GAHT12345678" in lines
    assert Entry.objects.filter(kind="list.export", subject="fleet").exists()


def test_hardware_is_lacking_only_where_it_is_demanded(auditor: Client, account: Account) -> None:
    team = Team.objects.create(slug="core", name="Core")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="core")
    group = factories.group(account, "core")
    for login, devices in {
        "app-only": ["virtual"],
        "token": ["hardware"],
        "two-apps": ["virtual", "virtual"],
        "app-and-key": ["virtual", "security-key"],
    }.items():
        user = person(account, login, mfa=devices[0] if len(devices) == 1 else "several")
        factories.edge(EdgeKind.MEMBER, user, group)
        for number, category in enumerate(devices):
            device(user, f"{login}-{number}", category)
    person(account, "elsewhere", mfa="virtual")
    assert shown(auditor.get("/mfa/?view=hardware")) == []
    HardwareDemand.objects.create(team=team, set_by="Ines")
    assert sorted(shown(auditor.get("/mfa/?view=hardware"))) == ["app-only", "two-apps"]


def test_an_administrator_says_where_hardware_is_demanded_and_the_journal_has_it(
    sign_in: SignIn, account: Account
) -> None:
    client = sign_in(Role.ADMINISTRATOR)
    form = {"place": f"account:{account.account_id}", "do": "demand"}
    for _ in range(2):
        assert client.post("/mfa/hardware/", form).status_code == 302
    assert HardwareDemand.objects.get().account == account
    assert b"production" in client.get("/mfa/hardware/").content
    client.post("/mfa/hardware/", form | {"do": "release"})
    assert not HardwareDemand.objects.exists()
    kinds = Entry.objects.filter(kind__startswith="hardware.").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["hardware.demand", "hardware.release"]


def test_an_auditor_says_nowhere_that_hardware_is_demanded(auditor: Client, account: Account) -> None:
    form = {"place": f"account:{account.account_id}", "do": "demand"}
    assert auditor.post("/mfa/hardware/", form).status_code == 404
    assert not HardwareDemand.objects.exists()


def test_a_team_lead_sees_the_devices_of_their_own_people_only(sign_in: SignIn, account: Account) -> None:
    factories.edge(
        EdgeKind.MEMBER, person(account, "mine", mfa="none"), factories.group(account, "payments-dev")
    )
    person(account, "other", mfa="none")
    client = sign_in(Role.TEAM_LEAD)
    assert shown(client.get("/mfa/")) == ["mine"]
    assert b"other" not in client.get("/mfa/export.json").getvalue()
    assert client.get("/mfa/roots/").status_code == 404


def fact(account: Account, name: str, value: dict[str, object]) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    AccountFact.objects.create(account=account, name=name, value=value, valid_from=at, observed_at=at)


def test_root_users_without_mfa_come_first_and_what_is_not_connected_is_said(auditor: Client) -> None:
    bare, safe = factories.account(name="bare"), factories.account("222222222222", name="a-safe-one")
    gone, unread = (
        factories.account("333333333333", name="gone"),
        factories.account("444444444444", name="new"),
    )
    fact(bare, "root_credentials", {"mfa_active": False, "access_key_1_active": True})
    fact(safe, "summary", {"AccountMFAEnabled": 1, "AccountAccessKeysPresent": 0})
    fact(
        gone, "summary", {"AccountMFAEnabled": 0, "AccountPasswordPresent": 0, "AccountAccessKeysPresent": 0}
    )
    member = factories.entity(bare, Kind.ORG_ACCOUNT, "sandbox")
    Entity.objects.filter(pk=member.pk).update(aws_id="555555555555")
    response = auditor.get("/mfa/roots/")
    rows = [(root.name, words) for root, words, *_ in response.context["rows"]]
    assert rows == [
        ("bare", "No MFA"),
        (unread.name, "Unknown"),
        ("sandbox", "Unknown, account not connected"),
        ("a-safe-one", "On"),
        ("gone", "No credentials"),
    ]
    assert "bare,No MFA,1" in auditor.get("/mfa/roots/export.csv").getvalue().decode()


def test_the_past_of_the_fleet_is_the_list_of_people_of_then(auditor: Client, account: Account) -> None:
    person(account, "maya.okafor")
    response = auditor.get("/mfa/?as-of=2026-02-01T00:00:00")
    assert response.status_code == 302
    assert response["Location"].startswith("/people/?as-of=2026-02-01")


def cost(client: Client, address: str) -> int:
    cache.clear()
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    assert len(captured) <= 14, "\n".join(q["sql"][:160] for q in captured)
    return len(captured)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.TEAM_LEAD], ids=str)
def test_the_fleet_costs_the_same_few_queries_for_one_row_and_for_sixty(
    sign_in: SignIn, account: Account, role: Role
) -> None:
    client, group = sign_in(role), factories.group(account, "payments-dev")
    factories.edge(EdgeKind.MEMBER, person(account, "first", is_admin=True, mfa="none"), group)
    HardwareDemand.objects.create(account=account, set_by="Ines")
    addresses = ["/mfa/", "/mfa/?view=no-mfa", "/mfa/?role=administrator"]
    calculate()
    costs_of_few = [cost(client, address) for address in addresses]
    for number in range(60):
        user = person(account, f"user-{number}", mfa="none", is_admin=number < 5)
        factories.edge(EdgeKind.MEMBER, user, group)
    Account.objects.update(revision=F("revision") + 1)
    calculate()
    assert [cost(client, address) for address in addresses] == costs_of_few
    assert len(shown(client.get("/mfa/"))) == 50


def test_a_member_reads_on_their_first_page_until_when_they_are_asked(
    sign_in: SignIn, account: Account
) -> None:
    user = person(account, "kwame", mfa="none")
    member = sign_in(Role.MEMBER, arns=(user.arn,))
    assert "Your password alone opens AWS" in member.get("/").content.decode()
    now = datetime.now(tz=UTC)
    terms = {"due": now.date() + timedelta(days=9), "ending": "notify", "reason": "PCI"}
    author = factories.person("Ines")
    campaign = Campaign.objects.create(name="All", begun_by=author, begun_at=now, **terms)
    Participant.objects.create(campaign=campaign, user=user, joined_at=now)
    due = f'<time datetime="{campaign.due.isoformat()}">{campaign.due:%-d %b %Y}</time>'
    assert f"Add a second factor by {due}" in member.get("/").content.decode()
    campaign.due = now.date() - timedelta(days=2)
    campaign.save(update_fields=["due"])
    page = member.get("/").content.decode()
    assert "Add a second factor now: it was due on" in page
    assert "Until then" not in page
