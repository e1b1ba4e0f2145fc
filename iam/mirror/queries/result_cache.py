"""Results that a process keeps until something is written to the mirror of the accounts that they are
about.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from threading import Lock
from typing import Final, Generic, TypeVar

from django.db import connection

from iam.mirror.models import Account

MAX_ENTRIES: Final = 128
Result = TypeVar("Result")
State = tuple[int, ...]
_WRITES: Final = (
    f"SELECT SUM(writes), SUM(counted_writes), COUNT(removed_at), COUNT(*) FROM {Account._meta.db_table}"  # noqa: S608
)


def state_of(accounts: Collection[str] | None) -> State:
    """Another value after whatever is written of these accounts, by number; None for all. Also after one was
    connected or disconnected. One query.
    """
    numbers = list(accounts or ())
    if accounts is not None and not numbers:
        return ()
    where = f" WHERE account_id IN ({', '.join(['%s'] * len(numbers))})" if numbers else ""
    # Every overview and list asks this: the ORM takes longer to write the statement than the database to
    # answer it.
    with connection.cursor() as cursor:
        cursor.execute(f"{_WRITES}{where}", numbers)
        return tuple(int(number or 0) for number in cursor.fetchone())


class KeptResults(Generic[Result]):
    """Up to `most` results, each for a question and a state of the mirror; the one that was not asked for the
    longest goes.
    """

    def __init__(self, most: int = MAX_ENTRIES) -> None:
        self._most = most
        self._results: OrderedDict[Hashable, Result] = OrderedDict()
        self._guard = Lock()

    def get_or_make(self, about: Hashable, make: Callable[[], Result]) -> Result:
        """The result that is kept, or a new one. Two who ask at once may both make it; neither waits."""
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
        """Drop everything that is kept."""
        with self._guard:
            self._results.clear()
