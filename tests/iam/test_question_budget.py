"""A question has a budget of processor time, which is looked at between its parts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace

import pytest

from iam import question_budget as budgets
from iam.access.actions import select_actions
from iam.access.who_can import WhoCanQuestion, who_can
from iam.mirror.models import Account
from iam.mirror.snapshot import forget, snapshot
from iam.question_budget import BudgetSpentError, check_budget, question_budget
from tests import factories as make


@pytest.fixture
def a_second_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock takes a second of processor time."""
    seconds = count()
    monkeypatch.setattr(budgets, "time", SimpleNamespace(thread_time=lambda: float(next(seconds))))


@pytest.mark.usefixtures("a_second_a_look")
def test_nothing_is_limited_without_a_budget() -> None:
    for _ in range(100):
        check_budget()
    with question_budget(0):
        for _ in range(100):
            check_budget()


@pytest.mark.usefixtures("a_second_a_look")
def test_a_budget_lets_its_seconds_pass_and_no_more() -> None:
    with question_budget(3):
        for _ in range(3):
            check_budget()
        with pytest.raises(BudgetSpentError) as stopped:
            check_budget()
    assert stopped.value.seconds == 3
    check_budget()


@pytest.mark.django_db
@pytest.mark.usefixtures("a_second_a_look")
def test_a_question_about_many_actions_is_stopped_between_them() -> None:
    make.user(make.account(), "maya.okafor")
    asked = WhoCanQuestion(select_actions("s3:*"), "*")
    with pytest.raises(BudgetSpentError), question_budget(2):
        who_can(asked, size=1)
    assert who_can(asked, size=1).asked == 1


@pytest.mark.django_db
@pytest.mark.usefixtures("a_second_a_look")
def test_a_past_moment_that_is_read_goes_on_where_it_was_stopped() -> None:
    accounts: list[Account] = [make.account(f"{number:012}") for number in range(1, 5)]
    for account in accounts:
        make.user(account, "maya.okafor")
    at = datetime.now(tz=UTC) + timedelta(seconds=1)
    forget()
    attempts = 0
    while True:
        attempts += 1
        try:
            with question_budget(1), snapshot(at) as index:
                assert len(index.accounts) == 4
            break
        except BudgetSpentError:
            assert attempts < 10
    assert attempts > 1
