"""A session that was stolen is given to a script: it copies no directory and floods no queue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from console.web import pace
from iam.directory.models import Role
from iam.journal.models import Entry
from tests import factories

pytestmark = pytest.mark.django_db
NOON = "2026-11-24T12:00:05+00:00"
WHOLE_ACCOUNTS = ("/access/who-can/", "/escalation/", "/services/", "/access/simulate/", "/access/compare/")
LATER = "2026-11-24T12:01:01+00:00"


@pytest.fixture(autouse=True)
def _fresh(settings: Any) -> Iterator[None]:
    settings.PACE = 3000
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def client() -> Client:
    browser = Client()
    with time_machine.travel(NOON, tick=False):
        browser.force_login(factories.operator(Role.AUDITOR))
    return browser


def answers(client: Client, path: str, times: int, **form: str) -> list[int]:
    ask = client.post if form else client.get
    answers = []
    for _ in range(times):
        response = ask(path, form)
        if response.streaming:
            b"".join(response.streaming_content)  # type: ignore[attr-defined]
        answers.append(response.status_code)
    return answers


def test_a_person_exports_sixty_times_in_a_minute_and_no_more(client: Client) -> None:
    with time_machine.travel(NOON, tick=False):
        statuses = answers(client, "/groups/export.csv", 62)
        assert statuses == [200] * 60 + [429] * 2
        assert Entry.objects.filter(kind__startswith="list").count() == 60
        slow = client.get("/groups/export.csv")
        assert slow["Retry-After"] == "56"
        assert "Too many requests" in slow.content.decode()
        assert "Try again in 56 seconds." in slow.content.decode()
        assert client.get("/groups/").status_code == 200
    with time_machine.travel(LATER, tick=False):
        assert answers(client, "/groups/export.csv", 1) == [200]


def test_forms_are_counted_before_they_do_anything(client: Client) -> None:
    with time_machine.travel(NOON, tick=False):
        statuses = answers(client, "/profile/preferences/", 302, time_zone="Europe/Riga")
        assert statuses == [302] * 300 + [429] * 2


def test_others_are_not_slowed_down(client: Client) -> None:
    with time_machine.travel(NOON, tick=False):
        answers(client, "/groups/export.csv", 61)
        other = Client()
        other.force_login(factories.operator(Role.AUDITOR, name="Otto Audit"))
        assert answers(other, "/groups/export.csv", 1) == [200]


def test_questions_about_whole_accounts_cost_something_and_other_pages_nothing(client: Client) -> None:
    with time_machine.travel(NOON, tick=False):
        cost = {
            path: pace.cost_of(client.get(path).wsgi_request) for path in (*WHOLE_ACCOUNTS, "/people/", "/")
        }
        assert cost == dict.fromkeys(WHOLE_ACCOUNTS, pace.QUESTION) | {"/people/": 0, "/": 0}


def test_zero_lifts_the_limit(client: Client, settings: Any) -> None:
    settings.PACE = 0
    with time_machine.travel(NOON, tick=False):
        assert answers(client, "/groups/export.csv", 61) == [200] * 61


def test_a_decision_in_a_review_costs_little_since_the_keyboard_is_quick(client: Client) -> None:
    review = UUID(int=1)
    with time_machine.travel(NOON, tick=False):
        decision = client.post(f"/reviews/{review}/rows/1/decide/", {"decision": "keep"})
        together = client.post(f"/reviews/{review}/decide/", {"decision": "keep"})
    assert [pace.cost_of(answer.wsgi_request) for answer in (decision, together)] == [1, 10]
