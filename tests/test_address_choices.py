"""A tab, a filter or a date in an address that means nothing is never ignored without a word: the page says
so, is not found, or refuses it. Every page is read for what its address can choose.
"""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.urls import reverse

from tests.test_urls_by_role import BY_QUERY, _area, _fresh_rates, _no_way_to_aws, world
from tests.url_answers import ANSWERS
from tests.url_world import World

__all__ = ["_fresh_rates", "_no_way_to_aws", "world"]
pytestmark = pytest.mark.django_db
STRANGE = "zzz-nothing"
FUTURE = "2999-01-01T00:00:00"
PAGES = [key for key, answers in ANSWERS.items() if key[0] == "GET" and answers.split()[-1] == "200"]
FREE = frozenset({"q", "find", "owner"})
"""Parameters that take any text."""
CHOICES = ("radio", "checkbox", "date", "datetime-local")
"""Types of fields that don't take any text."""


class Choices(HTMLParser):
    """The parameters of an address that a page offers choices for: its tabs, and the selects and dates of its
    forms.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path, self.names = path, set[str]()
        self._is_form_here = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            method = attributes.get("method", "get").lower()
            target = urlsplit(attributes.get("action", "") or attributes.get("hx-get", "")).path
            self._is_form_here = method == "get" and target in ("", self.path)
        is_choice = tag == "select" or attributes.get("type") in (
            "radio",
            "checkbox",
            "date",
            "datetime-local",
        )
        if is_choice and self._is_form_here and attributes.get("name"):
            self.names.add(attributes["name"])
        if tag == "a" and "href" in attributes:
            target = urlsplit(attributes["href"])
            if target.path in ("", self.path):
                self.names |= {name for name, _ in parse_qsl(target.query)}

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_form_here = False


def choices_of(path: str, page: str) -> set[str]:
    parser = Choices(path)
    parser.feed(page.partition("<main")[2])
    return parser.names - FREE


@pytest.mark.parametrize("area", sorted({_area(name) for _, name, _ in PAGES}))
def test_no_choice_of_an_address_is_ignored_silently(world: World, area: str) -> None:
    client = world.clients["administrator"]
    cookies = world.cookies["administrator"]
    client.cookies = SimpleCookie({key: morsel.value for key, morsel in cookies.items()})
    silent = []
    for _, name, what in PAGES:
        if _area(name) != area:
            continue
        path = reverse(name, kwargs={} if name in BY_QUERY else world.arguments[what])
        query = dict(parse_qsl(world.queries.get((name, what), "").removeprefix("?")))
        answer: Any = client.get(path, query)
        if answer.status_code != 200 or answer.streaming or "<main" not in answer.content.decode():
            continue
        values = dict.fromkeys(sorted(choices_of(path, answer.content.decode())), STRANGE)
        if 'id="side"' in answer.content.decode():
            values |= {"account": STRANGE, "as-of": FUTURE}
        for parameter, value in values.items():
            again: Any = client.get(path, query | {parameter: value})
            if again.status_code != 200:
                assert again.status_code in (302, 400, 404, 422), (name, parameter, again.status_code)
                continue
            page = unescape(again.content.decode())
            banner = page.partition("<main")[2]
            if f"“{value}”" not in banner and f": {value}”" not in banner:
                silent.append(f"{name} {what}: {parameter}={value}")
    assert silent == []


LISTS_OF = {
    "findings:export": "findings:list",
    "changes:export": "changes:list",
    "access:grants-export": "access:grants",
    "access:service-export": "access:service",
    "access:escalation-export": "access:escalation",
    "access:person-export": "access:person",
    "access:role-export": "access:role",
    "activity:events-export": "activity:events",
    "activity:person-export": "activity:person",
    "activity:role-export": "activity:role",
    "compliance:export": "compliance:framework",
    "identities:people-export": "identities:people",
    "identities:roles-export": "identities:roles",
    "identities:policies-export": "identities:policies",
    "reviews:export": "reviews:campaign",
    "operators-export": "operators",
}
"""Pages whose lists are exported, by export."""
WRONG = {
    "findings:export": "severity",
    "changes:export": "mine",
    "access:grants-export": "template",
    "access:service-export": "kind",
    "access:escalation-export": "certainty",
    "activity:events-export": "until",
    "activity:person-export": "days",
    "activity:role-export": "result",
    "compliance:export": "tab",
    "identities:people-export": "sort",
    "operators-export": "state",
}
"""A parameter of the export that is a choice; all others have a date."""


def test_no_file_is_made_for_a_choice_that_means_nothing(world: World) -> None:
    client = world.clients["administrator"]
    cookies = world.cookies["administrator"]
    client.cookies = SimpleCookie({key: morsel.value for key, morsel in cookies.items()})
    tried = set()
    for _, name, what in PAGES:
        if name not in LISTS_OF:
            continue
        tried.add(name)
        arguments = world.arguments[what]
        parameter = WRONG.get(name, "as-of")
        answer = client.get(reverse(name, kwargs=arguments), {parameter: STRANGE})
        page_arguments = {key: value for key, value in arguments.items() if key != "form"}
        page = reverse(LISTS_OF[name], kwargs=page_arguments)
        assert answer.status_code == 302, name
        assert answer["Location"] == f"{page}?{parameter}={STRANGE}"
        assert f"“{STRANGE}”" in unescape(client.get(answer["Location"]).content.decode()), name
    assert tried == set(LISTS_OF)


def test_the_journal_has_no_file_for_a_choice_that_means_nothing(world: World) -> None:
    client = world.clients["administrator"]
    cookies = world.cookies["administrator"]
    client.cookies = SimpleCookie({key: morsel.value for key, morsel in cookies.items()})
    answer = client.get(reverse("audit:journal"), {"format": "csv", "from": STRANGE})
    assert answer["Content-Type"].startswith("text/html")
    assert f"“{STRANGE}” isn’t a date for “from”" in unescape(answer.content.decode())
