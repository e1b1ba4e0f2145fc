"""The dates in conditions. When one passes, a statement may mean something else, and derived results are
outdated.
"""

from __future__ import annotations

import time
from heapq import heappop, heappush
from itertools import chain
from math import floor
from threading import Lock
from typing import Final
from weakref import WeakSet

from iam.policy.document import Statement
from iam.policy.index import keys
from iam.policy.letter_case import fold
from iam.policy.operators import moment_of
from iam.policy.request import TIMES

REFRESH_SECONDS: Final = 300
"""The interval in seconds after which statements that use the time as text are evaluated again."""


class StatementDates:
    """The future dates of the statements in use."""

    def __init__(self) -> None:
        self._to_come: list[int] = []
        self._passed = 0
        self._restless: WeakSet[object] = WeakSet()
        self._guard = Lock()

    def passed(self) -> int:
        """A number that grows when a date passes.

        While a statement uses the time as text, such as `${aws:CurrentTime}`, the moment of change is
        unknown, and the number grows every `REFRESH_SECONDS` seconds.
        """
        now = int(time.time())
        with self._guard:
            while self._to_come and self._to_come[0] <= now:
                heappop(self._to_come)
                self._passed += 1
            return self._passed + (now // REFRESH_SECONDS if self._restless else 0)

    def watch(self, clause: object, source: Statement, *, has_variables: bool) -> None:
        """Record the dates of a statement. `clause` marks how long it is in use."""
        if not source.conditions and not has_variables:
            return
        dates, is_restless = dates_of(source, has_variables=has_variables)
        now = int(time.time()) if dates else 0
        with self._guard:
            for date in dates:
                if date > now:
                    heappush(self._to_come, date)
            if is_restless:
                self._restless.add(clause)


def dates_of(source: Statement, *, has_variables: bool) -> tuple[list[int], bool]:
    """The Unix times from which a statement may mean something else, and whether it may do so at any time."""
    dates: list[int] = []
    texts = chain.from_iterable(values for _, _, values in source.conditions)
    is_restless = has_variables and bool(keys.variables_in((*texts, *(source.resources or ()))) & TIMES)
    for operator, key, values in source.conditions:
        if fold(key) not in TIMES:
            continue
        if not fold(operator).rpartition(":")[2].startswith(("date", "numeric", "null")):
            is_restless = True
        for value in values:
            moment = moment_of(value)
            if moment is not None:
                dates += (floor(moment), floor(moment) + 1)
    return dates, is_restless
