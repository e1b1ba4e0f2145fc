"""Three-valued logic as numbers, where `min` is AND and `max` is OR."""

from __future__ import annotations

from typing import Final

NO: Final = 0
OPEN: Final = 1
"""The answer depends on something that the question leaves open or the engine doesn't model."""
YES: Final = 2


def negation(value: int) -> int:
    """Return the negation. OPEN stays OPEN."""
    return YES - value
