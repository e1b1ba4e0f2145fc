"""A long list in batches, for queries that take only so many values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in their order, `size` at once; the last batch can be smaller."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
