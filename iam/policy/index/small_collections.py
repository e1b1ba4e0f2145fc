"""Collections that usually have one or two elements: a tuple while small, then a dictionary, which keeps the
order.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, TypeVar

MAX_TUPLE: Final = 4
One = TypeVar("One")


def with_one(held_ones: Collection[One] | None, item: One) -> Collection[One]:
    """Return the collection with one more item, which must not be in it yet."""
    if not held_ones:
        return (item,)
    if isinstance(held_ones, dict):
        held_ones[item] = None
        return held_ones
    return (*held_ones, item) if len(held_ones) < MAX_TUPLE else dict.fromkeys((*held_ones, item))


def without_one(held_ones: Collection[One], item: One) -> Collection[One]:
    """Return the collection without an item, which must be in it."""
    if isinstance(held_ones, dict):
        del held_ones[item]
        return held_ones
    return tuple([each for each in held_ones if each is not item])
