"""Caches results derived from an index, with that index, until it changes; only the most recent ones are
kept.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Final, TypeVar

from iam.policy.index.index import PolicyIndex

MAX_RESULTS: Final = 8
MAX_FORMER: Final = 4
"""The number of results kept across index changes as a basis for their successors."""
Result = TypeVar("Result")
_guard = Lock()


def cached(index: PolicyIndex, key: Hashable, make: Callable[[], Result]) -> Result:
    """The result of `make`, cached while the index is unchanged.

    The caller must hold the index. Two threads may compute the same result at once.
    """
    about = (index.version, key)
    with _guard:
        results = index.derived
        if about in results:
            # Move the last used result to the end.
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


def cached_on(index: PolicyIndex, key: Hashable, make: Callable[[Result | None], Result]) -> Result:
    """Like `cached`, but `make` gets the result from before the last index change to build on, or None."""
    former: Result | None = index.former.get(key)
    result = cached(index, key, lambda: make(former))
    with _guard:
        index.former.pop(key, None)
        index.former[key] = result
        while len(index.former) > MAX_FORMER:
            del index.former[next(iter(index.former))]
    return result
