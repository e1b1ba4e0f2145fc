"""Collections that mostly have one or two elements: a tuple while they are so few, a dictionary from then on,
which keeps their order.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, TypeVar

FEW: Final = 4
One = TypeVar("One")


def with_one(held: Collection[One] | None, one: One) -> Collection[One]:
    """With one more, which is not among them."""
    if not held:
        return (one,)
    if isinstance(held, dict):
        held[one] = None
        return held
    return (*held, one) if len(held) < FEW else dict.fromkeys((*held, one))


def without_one(held: Collection[One], one: One) -> Collection[One]:
    """Without one that is among them."""
    if isinstance(held, dict):
        del held[one]
        return held
    return tuple([each for each in held if each is not one])
