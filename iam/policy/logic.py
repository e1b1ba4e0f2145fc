"""Three-valued logic as numbers, so that `min` is and, `max` is or."""

from __future__ import annotations

from typing import Final

NO: Final = 0
OPEN: Final = 1
"""It depends on something that the question leaves open, or that is not modelled."""
YES: Final = 2


def negation(value: int) -> int:
    """The opposite; what is open stays open."""
    return YES - value
