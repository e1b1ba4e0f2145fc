"""Results that a process caches until the mirror of the accounts concerned is written to."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from threading import Lock
from typing import Final, Generic, TypeVar

from django.db import connection

from iam.compiled_queries import WrittenQuery
from iam.mirror.models import Account
from iam.planned_reads import PlannedRead

MAX_ENTRIES: Final = 128
Result = TypeVar("Result")
State = tuple[int, ...]
_WRITES: Final = (
    f"SELECT SUM(writes), SUM(counted_writes), COUNT(removed_at), COUNT(*) FROM {Account._meta.db_table}"  # noqa: S608
)
_OF_ALL: Final = WrittenQuery(_WRITES)


def state_of(accounts: Collection[str] | None) -> State:
    """Return a value that changes with each write to these accounts, by ID (None: all), and when one is
    connected or disconnected. One query.
    """
    if accounts is None:
        [writes] = writes_read().rows()
    elif accounts:
        numbers = list(accounts)
        with connection.cursor() as cursor:
            cursor.execute(f"{_WRITES} WHERE account_id IN ({', '.join(['%s'] * len(numbers))})", numbers)
            writes = cursor.fetchone()
    else:
        return ()
    return tuple(int(number or 0) for number in writes)


def writes_read() -> PlannedRead:
    """Return the read of `state_of` for all accounts, which every overview and list runs."""
    return _OF_ALL.planned()


class KeptResults(Generic[Result]):
    """A cache of up to `most` results, each for a question and a state of the mirror. The least recently used
    is removed first.
    """

    def __init__(self, most: int = MAX_ENTRIES) -> None:
        self._most = most
        self._results: OrderedDict[Hashable, Result] = OrderedDict()
        self._guard = Lock()

    def get_or_make(self, about: Hashable, make: Callable[[], Result]) -> Result:
        """Return the cached result, or make it. Two concurrent callers may both make it; neither waits."""
        with self._guard:
            if about in self._results:
                self._results.move_to_end(about)
                return self._results[about]
        result = make()
        with self._guard:
            self._results[about] = result
            while len(self._results) > self._most:
                self._results.popitem(last=False)
        return result

    def forget(self) -> None:
        """Clear the cache."""
        with self._guard:
            self._results.clear()
