"""All action names in a fixed order, so that sets of actions are integers: bit i is the i-th action.

Since they are sorted by lower case, `svc:Prefix*` matches one contiguous range.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import compress
from typing import Final

from iam.policy.glob import compile_glob
from iam.policy.letter_case import fold

HIGHEST: Final = "\U0010ffff"
MAX_SPARSE_BITS: Final = 200
"""Number of bits below which going from bit to bit is faster than examining all."""
REMEMBERED: Final = 2048
"""Number of patterns whose masks are cached: at most 6 MB, because a mask of all actions has 2.8 kB."""


class ActionNames:
    """Action names as AWS writes them. Lookups ignore case."""

    def __init__(self, names: Sequence[str]) -> None:
        """`names` are sorted by lower case, without duplicates."""
        self.actions: Final = tuple(names)
        self._mask = lru_cache(maxsize=REMEMBERED)(self._mask_of)

    @cached_property
    def _lowered(self) -> list[str]:
        return fold("\n".join(self.actions)).split("\n") if self.actions else []

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self._lowered)}

    def __len__(self) -> int:
        return len(self.actions)

    def index_of(self, action: str) -> int | None:
        """Return the number of an action's bit, or None if it is unknown."""
        return self._index.get(fold(action))

    def expand(self, pattern: str) -> tuple[str, ...]:
        """Return the actions that a pattern of an Action element, such as `s3:Get*`, matches, sorted. It is
        empty for an unknown name.
        """
        places = self._places(fold(pattern))
        if isinstance(places, range):
            return self.actions[places.start : places.stop]
        return tuple(self.actions[place] for place in places)

    def mask(self, pattern: str) -> int:
        """Return the result of `expand` as a set of bits."""
        return self._mask(fold(pattern))

    def _mask_of(self, lowered: str) -> int:
        places = self._places(lowered)
        if isinstance(places, range):
            return ((1 << len(places)) - 1) << places.start
        mask = 0
        for place in places:
            mask |= 1 << place
        return mask

    def _places(self, lowered: str) -> range | list[int]:
        """Return the numbers of matching actions: a range for a pattern with one star at its end; other
        patterns are tested within the range of their prefix.
        """
        wild = [place for place in (lowered.find("*"), lowered.find("?")) if place >= 0]
        if not wild:
            place = self._index.get(lowered)
            return range(0) if place is None else range(place, place + 1)
        start = lowered[: min(wild)]
        candidates = range(bisect_left(self._lowered, start), bisect_left(self._lowered, start + HIGHEST))
        if lowered.rstrip("*") == start and lowered.endswith("*"):
            return candidates
        matches = compile_glob(lowered)
        return [place for place in candidates if matches(self._lowered[place])]

    def names(self, mask: int) -> tuple[str, ...]:
        """Return the actions of a set, in order."""
        if mask.bit_count() < MAX_SPARSE_BITS:
            return tuple(self.actions[place] for place in places(mask))
        return tuple(compress(self.actions, bits(mask)))


def places(mask: int) -> Iterator[int]:
    """Yield the numbers of the set bits, ascending. Use it for sets with few bits."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def bits(mask: int) -> Iterator[bool]:
    """Yield whether bit 0, 1, 2 … is set."""
    return map("1".__eq__, reversed(f"{mask:b}"))
