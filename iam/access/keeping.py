"""Keeps what was worked out from an index until the index changes: a few results of each, the oldest go."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from iam.policy.index.index import Index

MOST: Final = 8
Result = TypeVar("Result")


class _Kept:
    """The results that belong to one version of an index."""

    __slots__ = ("results", "version")

    def __init__(self, version: int) -> None:
        self.version = version
        self.results: OrderedDict[Hashable, Any] = OrderedDict()


_guard = Lock()
_kept: WeakKeyDictionary[Index, _Kept] = WeakKeyDictionary()


def kept(index: Index, key: Hashable, make: Callable[[], Result]) -> Result:
    """The result of `make`, from the last time if the index is still as it was. The caller holds the lock of the index."""
    with _guard:
        found = _kept.get(index)
        if found is None or found.version != index.version:
            found = _kept[index] = _Kept(index.version)
    if key not in found.results:
        found.results[key] = make()
    found.results.move_to_end(key)
    while len(found.results) > MOST:
        found.results.popitem(last=False)
    result: Result = found.results[key]
    return result
