"""Pages whose question takes too much processor time say so, with the question as it was typed."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from console.access import who_can as who_can_pages
from iam import question_budget as budgets
from iam.directory.models import Role
from iam.question_budget import BudgetSpentError, check_budget
from tests import factories

pytestmark = pytest.mark.django_db
STOPPED = "This question took more than 20 seconds of processor time, so Gatehouse stopped it."
WHO_CAN = "/access/who-can/?action=s3:*&resource=*&owner=any&mfa=any"


@pytest.fixture
def auditor() -> Client:
    factories.user(factories.account(), "maya.okafor")
    browser = Client()
    browser.force_login(factories.operator(Role.AUDITOR))
    return browser


@pytest.fixture
def spent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question has spent its time as soon as it looks."""
    times: Callable[[], float] = iter([0.0, *[1000.0] * 10_000]).__next__
    monkeypatch.setattr(budgets, "time", SimpleNamespace(thread_time=times))


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


@pytest.mark.usefixtures("spent")
def test_who_can_keeps_the_question_and_says_that_it_was_stopped(auditor: Client) -> None:
    response = auditor.get(WHO_CAN)
    text = text_of(response)
    assert response.status_code == 200
    assert STOPPED in text
    assert 'value="s3:*"' in text
    assert "No one can" not in text


@pytest.mark.usefixtures("spent")
def test_the_part_that_htmx_asks_for_says_it_too(auditor: Client) -> None:
    response = auditor.get(WHO_CAN, headers={"HX-Request": "true"})
    assert STOPPED in text_of(response)
    assert 'id="question"' in text_of(response)


def test_within_its_time_a_question_is_answered(auditor: Client) -> None:
    text = text_of(auditor.get(WHO_CAN))
    assert "processor time" not in text
    assert "No one can" in text or "can do" in text


@pytest.mark.parametrize(("fragment", "status"), [(False, 503), (True, 422)])
def test_any_page_that_is_stopped_says_so(
    auditor: Client, monkeypatch: pytest.MonkeyPatch, fragment: bool, status: int
) -> None:
    def too_long(*_: Any, **__: Any) -> Any:
        raise BudgetSpentError(20)

    monkeypatch.setattr(who_can_pages, "who_can", too_long)
    monkeypatch.setattr(who_can_pages, "_frame", too_long)
    response = auditor.get(WHO_CAN, headers={"HX-Request": "true"} if fragment else {})
    assert response.status_code == status
    assert STOPPED in text_of(response)
    assert ("<html" in text_of(response)) is not fragment


@pytest.mark.usefixtures("spent")
def test_forms_have_no_limit(auditor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[bool] = []

    def look(*_: Any, **__: Any) -> Any:
        check_budget()
        looks.append(True)
        raise LookupError

    monkeypatch.setattr(who_can_pages, "_frame", look)
    with pytest.raises(LookupError):
        auditor.post(WHO_CAN)
    assert looks
