"""Every address of the console × every role, anonymous included: what each is answered.

A new address fails here until it has a row. `sign-in` is a redirect there; 404 is what somebody gets who may
not know whether the thing exists; an object has a row for the person's own and one for somebody else's. The
roles hold for all accounts, but for the team lead, whose team is the people of the group payments-dev.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.http.response import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django import DjangoDbBlocker

from iam.access.escalation_calculation.calculation import calculate_due
from tests.journeys.pages import parse
from tests.page_faults import faults_of
from tests.url_answers import ANSWERS, AUDITS
from tests.url_world import AUDITORS, ROLES, World, limit_auditors, made_world

pytestmark = pytest.mark.django_db
BY_QUERY = (
    "changes:membership",
    "changes:credential",
    "changes:acts",
    "offboarding:begin",
    "offboarding:suspend",
    "moving:begin",
)
"""Addresses that name what they are about in their query."""


def _names(patterns: list[URLPattern | URLResolver], space: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from _names(pattern.url_patterns, space + inner)
        else:
            yield f"{space}{pattern.name}"


@pytest.fixture(autouse=True)
def _no_way_to_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page makes a client of AWS, or looks for credentials: only workers do."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("A page reaches for AWS.")

    monkeypatch.setattr("botocore.session.Session.create_client", refuse)
    monkeypatch.setattr("botocore.session.Session.get_credentials", refuse)


@pytest.fixture(autouse=True)
def _fresh_rates() -> None:
    """How often somebody tried to sign in is counted by network address, which all roles share here."""
    cache.clear()


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """One for all tests, each of which takes back what it does to it."""
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        stack.enter_context(transaction.atomic())
        stack.callback(transaction.set_rollback, True)
        stack.enter_context(override_settings(VAR=tmp_path_factory.mktemp("var")))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("console.web.health._broker", lambda: "ok")
        made = made_world()
        limit_auditors(made)
        calculate_due()
        yield made


def _answer(response: HttpResponseBase) -> str:
    """The status, or `sign-in` for a redirect there, or the address of another redirect within reach of
    everybody.
    """
    location = response.headers.get("Location", "")
    if response.status_code == 302 and location.startswith("/sign-in/?next="):
        return "sign-in"
    return str(response.status_code)


def _ask(world: World, method: str, name: str, what: str, role: str) -> str:
    query = world.queries.get((name, what), "")
    address = reverse(name, kwargs={} if name in BY_QUERY else world.arguments[what]) + query
    client = world.clients[role]
    # What signs out is taken back as well.
    client.cookies = SimpleCookie({key: morsel.value for key, morsel in world.cookies[role].items()})
    with transaction.atomic():
        response = client.get(address) if method == "GET" else client.post(address, {})
        if response.streaming:
            b"".join(response.streaming_content)  # type: ignore[attr-defined]
        answer = _answer(response) + faults_of(response, role=role)
        transaction.set_rollback(True)
    return answer


def _area(name: str) -> str:
    """The namespace of an address, or the first word of its name."""
    return name.partition(":")[0] if ":" in name else name.replace("-", "_").partition("_")[0].rstrip("s")


@pytest.mark.parametrize("area", sorted({_area(name) for _, name, _ in ANSWERS}))
def test_every_role_is_answered_as_the_table_says(world: World, area: str) -> None:
    wrong = {}
    for (method, name, what), expected in ANSWERS.items():
        if _area(name) != area:
            continue
        join = " ".join(_ask(world, method, name, what, role) for role in ROLES)
        if join != expected:
            wrong[method, name, what] = f"{join} instead of {expected}"
    assert wrong == {}


@pytest.mark.parametrize("area", sorted({_area(name) for _, name, _ in ANSWERS}))
def test_limited_auditors_are_answered_as_somebody_without_a_role(world: World, area: str) -> None:
    """But for the rows of `AUDITS`, and as who is not signed in once the last day is over."""
    wrong = {}
    for (method, name, what), expected in ANSWERS.items():
        if _area(name) != area:
            continue
        anonymous, nobody, *_ = expected.split()
        due = AUDITS.get((method, name, what), f"{nobody} {nobody} {nobody}") + f" {anonymous}"
        join = " ".join(_ask(world, method, name, what, role) for role in AUDITORS)
        if join != due:
            wrong[method, name, what] = f"{join} instead of {due}"
    assert wrong == {}


@pytest.mark.parametrize("role", [*ROLES[1:], *AUDITORS[:-1]])
def test_no_link_of_the_first_page_is_a_dead_end(world: World, role: str) -> None:
    client = world.clients[role]
    client.cookies = SimpleCookie({key: morsel.value for key, morsel in world.cookies[role].items()})
    page = client.get(reverse("profile") if role == "nobody" else "/")
    assert page.status_code == 200
    links = {link.partition("#")[0] for link in parse(page.content.decode()).links if link.startswith("/")}
    dead = [link for link in sorted(links) if client.get(link, follow=True).status_code not in (200, 204)]
    assert dead == []


def test_without_its_token_no_form_is_taken(world: World) -> None:
    taken = {}
    client = Client(enforce_csrf_checks=True)
    for (method, name, what), expected in ANSWERS.items():
        if method != "POST" or expected.split()[-1] == "404":
            continue
        client.force_login(world.operators["administrator"])
        query = world.queries.get((name, what), "")
        kwargs = {} if name in BY_QUERY else world.arguments[what]
        answer = _answer(client.post(reverse(name, kwargs=kwargs) + query, {}))
        if answer != "403":
            taken[name] = answer
    assert taken == {}


def test_a_get_writes_nothing_but_the_record_of_an_export(world: World) -> None:
    changed = {}
    client = world.clients["administrator"]
    for (method, name, what), expected in ANSWERS.items():
        if method != "GET" or expected.split()[-1] == "404":
            continue
        client.force_login(world.operators["administrator"])
        query = world.queries.get((name, what), "")
        kwargs = {} if name in BY_QUERY else world.arguments[what]
        with CaptureQueriesContext(connection) as captured:
            response = client.get(reverse(name, kwargs=kwargs) + query)
            if response.streaming:
                b"".join(response.streaming_content)  # type: ignore[attr-defined]
        written = {
            table
            for row in captured
            for table in re.findall(r'^(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"', row["sql"])
        }
        allowed = {"operators_operatorsession"} | ({"journal_entry"} if "export" in name else set())
        # When someone looked last is noted once in a while.
        allowed |= {"audit_findings_findingvisit"} if name == "findings:list" else set()
        if written - allowed:
            changed[name] = written
    assert changed == {}


def test_every_address_has_a_row() -> None:
    known = {name for _, name, _ in ANSWERS}
    names = set(_names(get_resolver().url_patterns))
    assert names - known == set(), "addresses without a row in tests/url_answers.py"
    assert known - names == set(), "rows of addresses that are gone"
