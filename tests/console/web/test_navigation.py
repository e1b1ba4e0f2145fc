"""The navigation of every role: few entries, each of which opens, and the one that is marked is the one that
the page belongs to.
"""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from console.web.navigation import NAVIGATION
from tests.test_urls_by_role import BY_QUERY, world
from tests.url_answers import ANSWERS
from tests.url_world import World

__all__ = ["world"]
pytestmark = pytest.mark.django_db
MAX_ENTRIES = 16
ENTRIES = {
    "administrator": (
        "Overview People Groups Roles Policies Grants Templates Analyze Lifecycle Credentials Findings "
        "Compliance Approvals Changes Activity Settings"
    ),
    "approver": (
        "Overview People Groups Roles Policies Grants Templates Analyze Lifecycle Credentials Findings "
        "Compliance Approvals Changes Activity Settings"
    ),
    "auditor": (
        "Overview People Groups Roles Policies Grants Templates Analyze Lifecycle Credentials Findings "
        "Compliance Changes Activity Settings"
    ),
    "team-lead": (
        "Overview People Groups Grants Templates Lifecycle Credentials Findings Compliance Approvals Changes"
    ),
    "member": "My access,Request access,My requests,My grants,My keys",
    "nobody": "",
}
LINK = re.compile(r'<a href="([^"]*)"([^>]*)>(.*?)</a>', re.DOTALL)
NOWHERE = {
    "identities:search",
    "profile",
    "notify:preferences",
    "notify:follow-link",
    "account_reauthenticate",
}
"""Pages that belong to no entry: the search, and what is about oneself."""


def links(page: str, label: str) -> list[tuple[str, str, bool]]:
    """(address, label, whether it is marked) of each link of this navigation; none where the page has no such
    navigation.
    """
    match = re.search(rf'<nav[^>]*aria-label="{label}"[^>]*>(.*?)</nav>', page, re.DOTALL)
    matches = LINK.findall(match[1]) if match else []
    return [
        (
            unescape(address),
            re.sub(r"<span.*|<[^>]*>", "", inner, flags=re.DOTALL).strip(),
            'aria-current="page"' in rest,
        )
        for address, rest, inner in matches
    ]


def page_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


@pytest.mark.parametrize("role", ENTRIES)
def test_a_role_has_its_few_entries_and_each_opens(world: World, role: str) -> None:
    client = world.clients[role]
    home = "/profile/" if role == "nobody" else "/"
    entries = links(page_of(client, home), "Main")
    expected = ENTRIES[role]
    assert [label for _, label, _ in entries] == (
        expected.split(",") if "," in expected else expected.split()
    )
    assert len(entries) <= MAX_ENTRIES
    for address, label, _ in entries:
        inner = links(page_of(client, address), "Main")
        assert [entry[1] for entry in inner if entry[2]] == [label], address


def test_no_place_is_left_to_give_away() -> None:
    """Findings and Compliance took the two places that were kept free: what comes next is a tab."""
    assert sum(len(group.entries) for group in NAVIGATION) <= MAX_ENTRIES


@pytest.mark.parametrize("role", ["administrator", "approver", "auditor", "team-lead"])
def test_the_tabs_of_an_entry_open_and_lead_to_each_other(world: World, role: str) -> None:
    client = world.clients[role]
    for address, label, _ in links(page_of(client, "/"), "Main"):
        tabs = links(page_of(client, address), label)
        assert len(tabs) != 1, f"{label} has a tab alone"
        for url, text, _ in tabs:
            page = page_of(client, url)
            assert [tab[0] for tab in links(page, label)] == [tab[0] for tab in tabs], url
            assert [tab[1] for tab in links(page, label) if tab[2]] == [text], url
            assert [entry[1] for entry in links(page, "Main") if entry[2]] == [label], url


@pytest.mark.parametrize("role", ["administrator", "team-lead", "member"])
def test_every_page_marks_the_entry_that_it_belongs_to(world: World, role: str) -> None:
    column = {"member": 2, "team-lead": 3, "administrator": 6}[role]
    client = world.clients[role]
    unmarked = {}
    seen = 0
    for (method, name, what), expected in ANSWERS.items():
        is_own = name in NOWHERE or name.startswith("mfa_")
        if method != "GET" or expected.split()[column] != "200" or is_own:
            continue
        query = world.queries.get((name, what), "")
        address = reverse(name, kwargs={} if name in BY_QUERY else world.arguments[what]) + query
        response = client.get(address)
        if response.streaming:
            # A download holds its file open until it was read.
            response.getvalue()
            continue
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            continue
        page = response.content.decode()
        entries = links(page, "Main")
        if not entries:
            continue
        seen += 1
        marked = [label for _, label, is_marked in entries if is_marked]
        if len(marked) != 1:
            unmarked[name, what] = marked
    assert unmarked == {}
    assert seen > 5
