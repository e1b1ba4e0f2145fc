"""Keeps what was worked out from an index, with the index, until it changes: a few results, the oldest go."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Final, TypeVar

from iam.policy.index.index import Index

MAX_RESULTS: Final = 8
Result = TypeVar("Result")
_guard = Lock()


def cached(index: Index, key: Hashable, make: Callable[[], Result]) -> Result:
    """The result of `make`, from the last time if the index is still as it was. The caller reads the index;
    two may make it at once.
    """
    about = (index.version, key)
    with _guard:
        results = index.derived
        if about in results:
            # The one that was asked for last goes to the end.
            known: Result = results.pop(about)
            results[about] = known
            return known
    result = make()
    with _guard:
        for outdated in [key for key in results if key[0] != index.version]:
            del results[outdated]
        results[about] = result
        while len(results) > MAX_RESULTS:
            del results[next(iter(results))]
    return result
