"""Splits a long list into batches, for queries that take a limited number of values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items in order, `size` at a time. The last batch can be smaller."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
