"""The catalogue, extended with action names that documents use and the catalogue lacks.

AWS's own policies contain hundreds of such actions. They must neither be lost nor be counted as known.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress

from iam.policy.catalogue.names import bits
from iam.policy.catalogue.reference import AwsCatalogue
from iam.policy.glob import compile_glob
from iam.policy.letter_case import fold


class ActionSpace:
    """The interface of the catalogue over more names. It is immutable; a wider space keeps the bits of the
    narrower one.
    """

    __slots__ = ("_catalogue", "_extra", "_extra_index")

    def __init__(self, catalogue: AwsCatalogue, extra: Iterable[str] = ()) -> None:
        """`extra` are names as found. Patterns and names in the catalogue are skipped."""
        self._catalogue = catalogue
        lowered_by_name: dict[str, str] = {}
        for name in extra:
            if is_literal(name) and catalogue.index_of(name) is None:
                lowered_by_name.setdefault(fold(name), name)
        self._extra = tuple(lowered_by_name.items())
        self._extra_index = {name: len(catalogue) + place for place, name in enumerate(lowered_by_name)}

    def extended(self, names: Iterable[str]) -> ActionSpace:
        """Return a space with more names, whose bits follow, or this one if there are none."""
        fresh = [name for name in names if is_literal(name) and self.index_of(name) is None]
        if not fresh:
            return self
        return ActionSpace(self._catalogue, (*(name for _, name in self._extra), *fresh))

    @property
    def catalogue(self) -> AwsCatalogue:
        """The underlying catalogue."""
        return self._catalogue

    @property
    def unknown(self) -> tuple[str, ...]:
        """The names that the catalogue lacks, in the order of their bits."""
        return tuple(name for _, name in self._extra)

    def __len__(self) -> int:
        return len(self._catalogue) + len(self._extra)

    @property
    def everything(self) -> int:
        """All actions. `everything ^ mask` is the meaning of NotAction."""
        return (1 << len(self)) - 1

    def index_of(self, action: str) -> int | None:
        """Return the number of an action's bit, or None for an action that isn't in the space."""
        number = self._catalogue.index_of(action)
        return self._extra_index.get(fold(action)) if number is None else number

    def mask(self, pattern: str) -> int:
        """Return the actions that a pattern matches, as bits."""
        return self._catalogue.mask(pattern) | self.mask_from(pattern, len(self._catalogue))

    def mask_from(self, pattern: str, first: int) -> int:
        """Return the matching bits from `first` on, which must not be in the catalogue: what an extended
        space adds to a mask.
        """
        skipped = first - len(self._catalogue)
        if skipped >= len(self._extra):
            return 0
        lowered = fold(pattern)
        if is_literal(lowered):
            place = self._extra_index.get(lowered)
            return 1 << place if place is not None and place >= first else 0
        matches = compile_glob(lowered)
        mask = 0
        for place, (name, _) in enumerate(self._extra[skipped:], first):
            if matches(name):
                mask |= 1 << place
        return mask

    def names(self, mask: int) -> tuple[str, ...]:
        """Return the actions of a set: the known ones sorted, then the others."""
        own = mask >> len(self._catalogue)
        known = self._catalogue.names(mask & (1 << len(self._catalogue)) - 1)
        return known if not own else (*known, *compress(self.unknown, bits(own)))


def is_literal(name: str) -> bool:
    """Return True if the text names one action."""
    return "*" not in name and "?" not in name
