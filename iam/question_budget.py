"""How much processor time a question may take: a very large one is stopped, and the page says so, instead
of slowing others down for minutes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, NamedTuple


class BudgetSpentError(Exception):
    """A question took more than its seconds of processor time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"stopped after {seconds:g} seconds of processor time")
        self.seconds = seconds


class TimeBudget(NamedTuple):
    """How many seconds a question may take, and at which of this thread's processor time they end."""

    seconds: float
    ends_at: float


_budget: Final[ContextVar[TimeBudget | None]] = ContextVar("question_budget", default=None)


@contextmanager
def question_budget(seconds: float) -> Iterator[None]:
    """Let what is asked within take so many seconds of this thread's processor time; 0 sets no limit."""
    budget = TimeBudget(seconds, time.thread_time() + seconds) if seconds else None
    token = _budget.set(budget)
    try:
        yield
    finally:
        _budget.reset(token)


def check_budget() -> None:
    """Raise BudgetSpentError once the time is over. Called between parts of what takes long; without a budget
    it does nothing.
    """
    budget = _budget.get()
    if budget is not None and time.thread_time() > budget.ends_at:
        raise BudgetSpentError(budget.seconds)
