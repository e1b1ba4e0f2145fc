"""Keeps what was worked out from an index, with the index, until it changes: a few results, the oldest go."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Final, TypeVar

from iam.policy.index.index import PolicyIndex

MAX_RESULTS: Final = 8
MAX_FORMER: Final = 4
"""So many results are kept beyond a change of the index, for what follows on them."""
Result = TypeVar("Result")
_guard = Lock()


def cached(index: PolicyIndex, key: Hashable, make: Callable[[], Result]) -> Result:
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


def cached_on(index: PolicyIndex, key: Hashable, make: Callable[[Result | None], Result]) -> Result:
    """The same where a result takes over what holds on of the one before the index changed, which is given to
    `make`; None where there is none.
    """
    former: Result | None = index.former.get(key)
    result = cached(index, key, lambda: make(former))
    with _guard:
        index.former.pop(key, None)
        index.former[key] = result
        while len(index.former) > MAX_FORMER:
            del index.former[next(iter(index.former))]
    return result
