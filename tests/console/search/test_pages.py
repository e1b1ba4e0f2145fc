"""The words that people type find the page or action that they mean, and find it first, in every role."""

from __future__ import annotations

import re
from html import unescape
from itertools import chain
from pathlib import Path
from typing import Final

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from console.search.pages import PAGE_WORDS, PLACES, page_results
from console.web.navigation import NAVIGATION, NavigationReader, tabs_for
from iam.directory.models import Person, Role, Team
from iam.guard import Viewer, viewer_for
from tests import factories
from tests.iam.changes.site import signed_in

pytestmark = pytest.mark.django_db
ROLES: Final = (Role.ADMINISTRATOR, Role.APPROVER, Role.TEAM_LEAD, Role.AUDITOR)
"""Members have no search: they see only themselves."""
MEANT: Final = {
    # Identities
    "home": ("dashboard:overview",),
    "iam users": ("identities:people",),
    "employees": ("onboarding:runs",),
    "unmatched": ("linking:links",),
    "machine users": ("linking:owners",),
    "service accounts": ("linking:owners",),
    "groups": ("identities:groups",),
    "roles": ("identities:roles",),
    "assume role": ("identities:roles",),
    "ec2": ("identities:instance-profiles",),
    "federation": ("identities:providers",),
    "saml": ("identities:providers",),
    "policies": ("identities:policies",),
    # Access
    "grant access": ("access:grant-new", "access:grants"),
    "share": ("access:grant-new", "access:grants"),
    "revoke": ("access:grants",),
    "expiring grants": ("access:grants",),
    "ask for access": ("access:ask",),
    "request access": ("access:ask",),
    "templates": ("access:templates",),
    "new template": ("access:template-new", "access:templates"),
    "job function": ("access:templates",),
    "who can": ("access:who-can",),
    "who has access": ("access:who-can",),
    "compare": ("access:compare",),
    "simulate": ("access:simulate",),
    "what if": ("access:simulate",),
    "scp": ("access:scp-preview",),
    "escalation": ("access:escalation",),
    "become administrator": ("access:escalation",),
    "services": ("access:services",),
    # People who come and go
    "onboard": ("onboarding:runs",),
    "onboard people": ("onboarding:runs",),
    "joiner": ("onboarding:runs",),
    "new hire": ("onboarding:runs",),
    "invite": ("onboarding:runs",),
    "invite someone": ("onboarding:runs",),
    "add an operator": ("operator-new", "operators"),
    "leaver": ("offboarding:begin", "offboarding:leavers"),
    "offboard": ("offboarding:begin", "offboarding:leavers"),
    "offboard someone": ("offboarding:begin", "offboarding:leavers"),
    "offboarding": ("offboarding:leavers",),
    "suspend": ("offboarding:suspend",),
    "cut access": ("offboarding:suspend",),
    "change team": ("moving:moves",),
    "mover": ("moving:moves",),
    "transfer": ("moving:moves",),
    "blueprint": ("onboarding:blueprints",),
    "new blueprint": ("onboarding:blueprint-new", "onboarding:blueprints"),
    # Credentials
    "MFA": ("mfa:fleet",),
    "2fa": ("mfa:fleet",),
    "second factor": ("mfa:fleet",),
    "campaign": ("mfa:campaigns",),
    "start a campaign": ("mfa:campaign-begin", "mfa:campaigns"),
    "lost phone": ("mfa:replacements",),
    "enforce MFA": ("mfa:enforcement",),
    "yubikey": ("mfa:hardware-demands",),
    "access keys": ("keys:keys",),
    "old keys": ("keys:keys",),
    "rotate": ("keys:rotations",),
    "rotate key": ("keys:rotations",),
    "key rotation": ("keys:rotations",),
    "root": ("mfa:root-users",),
    "root keys": ("keys:root-keys",),
    # Findings and audit
    "findings": ("findings:list",),
    "risks": ("findings:list",),
    "assertion": ("findings:assertions",),
    "posture": ("findings:posture",),
    "audit": ("audit:journal", "evidence:packs"),
    "audit log": ("audit:journal",),
    "evidence": ("evidence:packs",),
    "report": ("evidence:packs",),
    "PCI": ("compliance:framework",),
    "compliance": ("compliance:frameworks",),
    "review access": ("reviews:list",),
    "access review": ("reviews:list",),
    "recertification": ("reviews:list",),
    "start a review": ("reviews:new", "reviews:list"),
    "separation of duties": ("reviews:rules",),
    # Changes
    "approve": ("changes:approvals",),
    "reject": ("changes:approvals",),
    "approvals": ("changes:approvals",),
    "undo": ("changes:list",),
    "revert": ("changes:list",),
    "new change": ("changes:acts",),
    "drift": ("changes:drift",),
    "outside": ("changes:drift",),
    "cloudtrail": ("activity:sources",),
    "cloudtrail events": ("activity:events",),
    "journal": ("audit:journal",),
    # Settings
    "connect an account": ("setup:connect", "setup:accounts"),
    "add account": ("setup:connect",),
    "upload": ("setup:upload",),
    "accounts": ("setup:accounts",),
    "operators": ("operators",),
    "teams": ("teams",),
    "approval rules": ("changes:rules",),
    "slack": ("notify:preferences", "notify:outbox"),
    "notifications": ("notify:outbox", "notify:preferences"),
    "password": ("profile",),
    "passkey": ("mfa_index",),
    "my keys": ("keys:my-keys",),
}
"""What is typed → the pages that are meant, of which a reader gets the first that they can open."""
ARGUMENTS: Final = {"compliance:framework": ["pci-dss-4.0.1"]}
NOT_SEARCHED: Final = frozenset(
    (
        # Before somebody is signed in, or within a page that leads there.
        "account_login",
        "account_reset_password",
        "changes:rules-draft",
        "mfa_add_webauthn",
        "mfa_generate_recovery_codes",
    )
)
PRIMARY: Final = re.compile(r"""class="btn primary[^"]*"\s+href="{% url '([\w:-]+)' %}""")


def _client(role: Role) -> Client:
    team = Team.objects.create(name="Payments", slug="payments") if role is Role.TEAM_LEAD else None
    return signed_in(factories.operator(role, name="Ines Duarte", team=team))


def _address(name: str) -> str:
    return reverse(name, args=ARGUMENTS.get(name))


def _opens(client: Client, name: str) -> bool:
    return client.get(_address(name)).status_code in (200, 302)


def _first(client: Client, text: str, *, typing: bool) -> str:
    headers = {"HX-Request": "true"} if typing else {}
    answer = client.get("/search/", {"q": text}, headers=headers)
    assert answer.status_code == 200
    html = answer.content.decode()
    results = html if typing else html.partition('<h2 id="s-1"')[2]
    links = re.findall(r'<a[^>]*\shref="(/[^"]*)"', results)
    return unescape(links[0]) if links else ""


@pytest.mark.parametrize("role", ROLES)
def test_the_words_that_people_type_find_first_what_they_mean(role: Role) -> None:
    factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
    client = _client(role)
    viewer = viewer_for(Person.objects.get(name="Ines Duarte"))
    shown = {name for *_, name in tabs_for(NavigationReader.for_viewer(viewer))}
    wrong = []
    for text, names in MEANT.items():
        opened = [
            name for name in names if name in shown or (name not in PAGE_WORDS and _opens(client, name))
        ]
        found = page_results(viewer, text).meant
        first = found[0].url if found else "nothing"
        if opened and first != _address(opened[0]):
            wrong.append(f"{text}: {first} instead of {_address(opened[0])}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("typing", [True, False], ids=["typing", "page"])
def test_a_page_that_is_meant_stands_before_actions_and_entities(typing: bool) -> None:
    cache.clear()
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
    factories.role(account, "rotate-keys")
    factories.user(account, "audit")
    client = _client(Role.ADMINISTRATOR)
    for text in ("rotate", "audit", "leaver", "MFA", "undo"):
        assert _first(client, text, typing=typing) == _address(MEANT[text][0])
    # The beginning of a word is rather the beginning of a name.
    assert "rotate-keys" in client.get("/search/", {"q": "rotate"}).content.decode()
    assert _first(client, "rota", typing=typing).startswith("/roles/")


@pytest.mark.parametrize("role", ROLES)
def test_every_page_of_the_navigation_is_found_first_by_its_label(role: Role) -> None:
    viewer = _viewer(role)
    for entry, _, label, name in tabs_for(NavigationReader.for_viewer(viewer)):
        found = page_results(viewer, label).meant
        assert found[0].url == reverse(name), label
        assert page_results(viewer, entry).meant, entry


@pytest.mark.parametrize("role", ROLES)
def test_every_page_that_words_find_opens(role: Role) -> None:
    factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
    client = _client(role)
    viewer = viewer_for(Person.objects.get(name="Ines Duarte"))
    opened: set[str] = set()
    words = chain.from_iterable(f"{place.label} {place.words}".split() for place in PLACES)
    for word in {*words, *chain.from_iterable(text.split() for text in PAGE_WORDS.values())}:
        results = page_results(viewer, word)
        for result in (*results.meant, *results.others):
            if result.url not in opened:
                opened.add(result.url)
                assert client.get(result.url, follow=True).status_code == 200, (word, result.url)
    assert opened


def test_every_page_that_words_find_opens_for_who_manages_one_account() -> None:
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
    factories.account("222222222222")
    operator = factories.operator(None, name="Petra Part")
    factories.assign(operator.person, Role.ADMINISTRATOR, account_id=account.account_id)
    client = Client()
    client.force_login(operator)
    viewer = viewer_for(operator.person)
    closed = []
    for place in PLACES:
        for url in {result.url for result in page_results(viewer, place.label).meant}:
            if client.get(url, follow=True).status_code != 200:
                closed.append((place.label, url))
    assert closed == []


def test_every_page_of_the_navigation_has_words() -> None:
    tabs = chain.from_iterable(entry.tabs for group in NAVIGATION for entry in group.entries)
    assert {tab.url for tab in tabs} == set(PAGE_WORDS)


def test_every_primary_button_that_leads_to_a_page_is_found() -> None:
    named = set()
    for path in Path("templates").rglob("*.html"):
        named.update(PRIMARY.findall(path.read_text()))
    assert len(named) > 20
    assert named - NOT_SEARCHED - set(PAGE_WORDS) - {place.url for place in PLACES} == set()


def _viewer(role: Role) -> Viewer:
    team = Team.objects.create(name="Payments", slug="payments") if role is Role.TEAM_LEAD else None
    return viewer_for(factories.operator(role, name="Ines Duarte", team=team).person)
