"""The search finds whatever somebody may see, however they write it, and tells nobody of anything else."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from console.search.references import FINDERS
from iam.access.grants.models import Grant
from iam.audit.evidence.models import EvidencePack, PackKind
from iam.audit.findings.models import AuditFinding
from iam.changes.models import Change
from iam.directory.models import Person, Role, RuleKind, Team, TeamRule
from iam.mirror.models import Account, EdgeKind, Entity, Kind
from tests import factories
from tests.console.access.grants import made
from tests.iam.changes.site import signed_in
from tests.url_rows import finding_row

pytestmark = pytest.mark.django_db
SUGGESTED_FINDING = 'href="/findings/'
NUMBERS = {
    "Change": {"CHG"}, "Drift": {"DRF"}, "EvidencePack": {"EVD"}, "Grant": {"GRT"},
    "OffboardingRun": {"LVG", "SUS"}, "Rotation": {"KEYS"},
}  # fmt: skip


@dataclass
class World:
    """Nora is in the team of the lead, Tomas is not; each is linked to a person whose name the login does not
    tell.
    """

    account: Account
    nora: Entity
    tomas: Entity
    group: Entity
    change: Change
    grant: Grant
    key: Entity


@pytest.fixture
def world() -> Iterator[World]:
    cache.clear()
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
    nora, tomas = factories.user(account, "nwhitfield"), factories.user(account, "tlind")
    group, led = factories.group(account, "deployers"), factories.group(account, "payments-dev")
    factories.edge(EdgeKind.MEMBER, nora, led)
    factories.person("Nora Whitfield", email="nora@example.com", arns=(nora.arn,))
    factories.person("Tomas Lind", email="tomas@example.com", arns=(tomas.arn,))
    asker = factories.operator(Role.ADMINISTRATOR, name="Ines Duarte")
    answer = signed_in(asker).post(
        f"{reverse('changes:membership')}?user={tomas.pk}&group={group.pk}&do=add",
        {"reason": "On call", "key": str(uuid.uuid4())},
    )
    assert answer.status_code == 302
    key = factories.entity(account, Kind.ACCESS_KEY, "AKIAIOSFODNN7EXAMPLE", arn="")
    Entity.objects.filter(pk=key.pk).update(
        owner=tomas, aws_id="AKIAIOSFODNN7EXAMPLE", search="akiaiosfodnn7example"
    )
    yield World(
        account=account,
        nora=nora,
        tomas=tomas,
        group=group,
        change=Change.objects.get(),
        grant=made.grant(account, tomas, asked_by=asker.person),
        key=key,
    )
    cache.clear()


def browser(role: Role) -> Client:
    if role is not Role.TEAM_LEAD:
        return signed_in(factories.operator(role, name=f"The {role.label}"))
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments-dev")
    return signed_in(factories.operator(role, name="Maya Okafor", team=team))


def found(client: Client, text: str, *, typing: bool = False) -> str:
    headers: Any = {"HX-Request": "true"} if typing else {}
    response = client.get("/search/", {"q": text}, headers=headers)
    assert response.status_code == 200, response.get("Location")
    return unescape(response.content.decode())


@pytest.mark.parametrize("typing", [True, False], ids=["typing", "page"])
@pytest.mark.parametrize("text", ["Whitfield", "nora whit", "nora@example", "NORA", "nwhit"])
def test_people_are_found_by_name_email_and_login(world: World, text: str, typing: bool) -> None:
    for role in (Role.ADMINISTRATOR, Role.TEAM_LEAD):
        assert f'href="/people/{world.nora.pk}/"' in found(browser(role), text, typing=typing)


@pytest.mark.parametrize("typing", [True, False], ids=["typing", "page"])
@pytest.mark.parametrize(
    "text", ["Tomas", "tomas@example", "tlind", "AKIAIOSFO", "deployers", "grant access to tomas"]
)
def test_a_lead_finds_nobody_outside_of_their_teams(world: World, text: str, typing: bool) -> None:
    page = found(browser(Role.TEAM_LEAD), text, typing=typing)
    for hidden in (
        f"/{world.tomas.pk}/",
        f"for={world.tomas.pk}",
        f"/{world.group.pk}/",
        "Tomas Lind",
        "tlind@",
    ):
        assert hidden not in page


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("s3:PutObject", "/access/who-can/?action=s3%3APutObject"),
        ("s3:putobj", "/access/who-can/?action=s3%3APutObject"),
        ("putobject", "/access/who-can/?action=s3%3APutObject"),
        ("who can s3:PutObject", "/access/who-can/?action=s3%3APutObject"),
        ("lambda", "/services/lambda/"),
        ("Key Management", "/services/kms/"),
        ("escalation", "/escalation/"),
        ("drift", "/changes/drift/"),
        ("grant acc", "/grants/new/"),
        ("time zone", "/profile/"),
    ],
)
def test_actions_services_and_pages_are_found(world: World, text: str, address: str) -> None:
    client = browser(Role.ADMINISTRATOR)
    for typing in (True, False):
        assert f'href="{address}"' in found(client, text, typing=typing)


def test_a_section_that_is_cut_says_how_many_there_are(world: World) -> None:
    for number in range(12):
        device = f"arn:aws:iam::111111111111:mfa/phone-{number}"
        factories.entity(world.account, Kind.MFA_DEVICE, f"phone-{number}", arn=device)
        factories.account(f"8888888888{number:02}", name=f"phone-{number}")
    page = found(browser(Role.ADMINISTRATOR), "phone")
    assert "<span>10 of 12</span>" in page, "MFA devices have no list that shows all"
    assert "<span>5 of 12</span>" in page, "accounts"
    assert "Type more of the name to see others" in page


def test_actions_and_services_are_counted_whole(world: World) -> None:
    client = browser(Role.ADMINISTRATOR)
    actions, services = found(client, "iam:Create"), found(client, "amazon")
    assert re.search(r"<span>6 of (\d+)</span>", actions)
    assert re.search(r"<span>4 of (\d+)</span>", services)
    every = re.search(r"<span>6 of (\d+)</span>", found(client, "create"))
    assert every is not None
    assert int(every[1]) > 1000, "as many as AWS has"
    assert (
        " of " not in found(client, "s3:GetObjectAnnotation").partition("<main")[2].partition("card-foot")[2]
    )


@pytest.mark.parametrize("text", ["s3:PutObject", "lambda", "escalation", "accounts", "operators"])
def test_a_lead_is_offered_no_page_that_they_cannot_open(world: World, text: str) -> None:
    page = found(browser(Role.TEAM_LEAD), text)
    for hidden in ("/access/who-can/", "/services/", "/escalation/", "/accounts/", "/operators/"):
        assert f'href="{hidden}' not in page


@pytest.mark.parametrize(
    ("role", "text", "number"),
    [
        (Role.ADMINISTRATOR, "nwhit", 1),
        (Role.AUDITOR, "password without mfa", 7),
        (Role.TEAM_LEAD, "nwhit", 1),
        (Role.TEAM_LEAD, "tlind", 0),
        (Role.TEAM_LEAD, "without-mfa", 1),
    ],
)
def test_open_findings_are_found_by_kind_and_by_what_they_are_about(
    world: World, role: Role, text: str, number: int
) -> None:
    others = [factories.user(world.account, f"other-{number}") for number in range(5)]
    for user in (world.nora, world.tomas, *others):
        row = finding_row(user)
        row.search = f"console password without mfa {row.kind} {row.name}"
        row.save()
    AuditFinding.objects.create(
        key="fixed", kind="x", account=world.account, name="nwhitfield", search="nwhitfield",
        severity=1, status="fixed", place="1 x nwhitfield", first_seen=factories.FIRST_READ,
        last_seen=factories.FIRST_READ, changed_at=factories.FIRST_READ,
    )  # fmt: skip
    client = browser(role)
    page = found(client, text)
    assert len(re.findall(r'href="/findings/\d+/"', page)) == min(number, 5)
    if number > 5:
        rest = re.search(r'href="(/findings/\?q=[^"]+)">Show all 7<', page)
        assert rest is not None
        listed = client.get(unescape(rest[1])).content.decode()
        assert len(set(re.findall(r'href="/findings/\d+/"', listed))) == number
    suggestions = client.get(f"/search/?q={text}", headers={"HX-Request": "true"}).content.decode()
    assert (SUGGESTED_FINDING in suggestions) is bool(number)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR, Role.TEAM_LEAD])
def test_every_page_that_is_found_opens(world: World, role: Role) -> None:
    client, opened = browser(role), set()
    for letters in ("ac", "ro", "ch", "mf", "us", "no", "te", "of", "on", "pr", "ke", "si", "co", "jo"):
        for line in found(client, letters).split('href="')[1:]:
            address = unescape(line.partition('"')[0])
            if address.startswith("/") and "/static/" not in address and address not in opened:
                opened.add(address)
                assert client.get(address, follow=True).status_code == 200, f"{letters}: {address}"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("grant access to nora", "/grants/new/?for={nora}"),
        ("Grant nwhit", "/grants/new/?for={nora}"),
        ("give access to deployers", "/grants/new/?for={group}"),
        ("offboard whitfield", "/leaving/new/?user={nora}"),
        ("change team of nora", "/moving/new/?user={nora}"),
        ("move nora", "/moving/new/?user={nora}"),
        ("send MFA link to nora@example.com", "/mfa/{nora}/send/"),
        ("rotate key AKIAIOSF", "/keys/{key}/rotate/"),
    ],
)
def test_what_is_to_be_done_leads_to_its_form_filled_in(world: World, text: str, address: str) -> None:
    client = browser(Role.ADMINISTRATOR)
    wanted = address.format(nora=world.nora.pk, group=world.group.pk, key=world.key.pk)
    for typing in (True, False):
        assert f'href="{wanted}"' in found(client, text, typing=typing)
    assert client.get(wanted, follow=True).status_code == 200


def test_an_auditor_is_offered_nothing_to_do(world: World) -> None:
    page = found(browser(Role.AUDITOR), "grant access to nora")
    assert "/grants/new/" not in page


@pytest.mark.parametrize("write", [str, str.lower, lambda text: text.replace("-", "")])
def test_a_whole_number_goes_straight_to_its_page(world: World, write: Any) -> None:
    client = browser(Role.ADMINISTRATOR)
    change = client.get("/search/", {"q": write(world.change.reference)})
    assert change["Location"] == f"/changes/{world.change.pk}/request/"
    grant = client.get("/search/", {"q": write(world.grant.reference)})
    assert grant["Location"] == f"/grants/{world.grant.pk}/"


@pytest.mark.parametrize("text", ["111111111111", "1111-1111-1111"])
def test_an_account_is_found_by_its_number_however_it_is_written(world: World, text: str) -> None:
    found_account = browser(Role.AUDITOR).get("/search/", {"q": text})
    assert found_account["Location"] == "/accounts/111111111111/"
    lead = browser(Role.TEAM_LEAD).get("/search/", {"q": text})
    assert (lead.status_code, "/accounts/" in lead.content.decode()) == (200, False)


def test_an_account_is_found_by_its_name_and_the_beginning_of_its_number(world: World) -> None:
    client = browser(Role.AUDITOR)
    for text in (world.account.name, "1111-11"):
        assert 'href="/accounts/111111111111/"' in found(client, text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("pci", "/compliance/pci-dss-4.0.1/"),
        ("8.4.2", "/compliance/pci-dss-4.0.1/8.4.2/"),
        ("pci 8.4.2", "/compliance/pci-dss-4.0.1/8.4.2/"),
    ],
)
def test_frameworks_and_requirements_are_found(world: World, text: str, address: str) -> None:
    assert f'href="{address}"' in found(browser(Role.AUDITOR), text)
    assert f'href="{address}"' not in found(browser(Role.TEAM_LEAD), text)


def test_a_user_is_shown_by_the_name_of_their_person(world: World) -> None:
    page = found(browser(Role.AUDITOR), "nwhitfield")
    assert "<strong>Nora Whitfield</strong>" in page
    assert "nwhitfield, " in page


def test_whatever_has_a_number_on_a_page_is_found_by_it(world: World) -> None:
    """A model with a reference is among those that the search finds by number, or is left out on purpose."""
    letters = set()
    for model in apps.get_models():
        if isinstance(getattr(model, "reference", None), property):
            prefix = getattr(model, "prefix", None)
            letters |= {prefix} if isinstance(prefix, str) else NUMBERS.get(model.__name__, {model.__name__})
    # Rotations of keys have no page of the run: each has its own, found by key ID.
    assert {each.lower() for each in letters} - {"keys"} == set(FINDERS)


def test_a_run_a_review_and_a_pack_are_found_by_number(world: World) -> None:
    client = browser(Role.ADMINISTRATOR)
    administrator = Person.objects.get(name="Ines Duarte", operator__isnull=False)
    now = datetime.now(tz=UTC)
    pack = EvidencePack.objects.create(
        kind=PackKind.PERIOD, title="Changes", since=now, until=now, seed="s", sample_size=1,
        requested_by=administrator.pk, requested_name="Ines Duarte", requested_at=now,
    )  # fmt: skip
    answer = client.get("/search/", {"q": pack.reference})
    assert answer["Location"] == f"/evidence/{pack.pk}/"
    assert "Nothing matches" in found(browser(Role.TEAM_LEAD), pack.reference)


def test_a_number_that_somebody_may_not_see_does_not_exist(world: World) -> None:
    client = browser(Role.TEAM_LEAD)
    for reference in (world.change.reference, world.grant.reference, "CHG-00000000"):
        page = found(client, reference)
        assert "Nothing matches" in page
        assert str(world.change.pk) not in page


def test_of_the_past_nothing_is_done_and_nothing_is_asked(world: World) -> None:
    client = browser(Role.ADMINISTRATOR)
    page = client.get("/search/?q=grant access to nora&as-of=2026-02-01T00:00:00").content.decode()
    assert "/grants/new/" not in page


@pytest.mark.parametrize(
    "text", ["grant access to", "who can", "offboard ", "move %", "chg-", "grt-zz", ":", "::", "s3:"]
)
def test_half_a_sentence_is_no_error(world: World, text: str) -> None:
    client = browser(Role.ADMINISTRATOR)
    for typing in (True, False):
        found(client, text, typing=typing)


def test_the_names_of_persons_are_shown_as_text(world: World) -> None:
    hostile = factories.user(world.account, "hostile")
    factories.person("<img src=x>", email="x@example.com", arns=(hostile.arn,))
    client = browser(Role.ADMINISTRATOR)
    for headers in ({}, {"HX-Request": "true"}):
        for text in ("<img", "grant access to <img"):
            assert "<img" not in client.get("/search/", {"q": text}, headers=headers).content.decode()
    assert json.dumps(hostile.name) not in found(browser(Role.TEAM_LEAD), "<img")
