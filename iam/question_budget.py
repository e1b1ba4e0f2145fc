"""Limits the processor time of a question. A very large one is stopped, and the page says so, instead of
slowing others down for minutes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, NamedTuple


class BudgetSpentError(Exception):
    """A question used up its processor time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"stopped after {seconds:g} seconds of processor time")
        self.seconds = seconds


class TimeBudget(NamedTuple):
    """The seconds that a question can take, and the thread's processor time at which they end."""

    seconds: float
    ends_at: float


_budget: Final[ContextVar[TimeBudget | None]] = ContextVar("question_budget", default=None)


@contextmanager
def question_budget(seconds: float) -> Iterator[None]:
    """Limit the code in this context to `seconds` of the thread's processor time. 0 sets no limit."""
    budget = TimeBudget(seconds, time.thread_time() + seconds) if seconds else None
    token = _budget.set(budget)
    try:
        yield
    finally:
        _budget.reset(token)


def check_budget() -> None:
    """Raise BudgetSpentError if the time is used up. It is called between parts of long work, and does
    nothing without a budget.
    """
    budget = _budget.get()
    if budget is not None and time.thread_time() > budget.ends_at:
        raise BudgetSpentError(budget.seconds)
