"""What happens to which actions for a principal when a policy changes, as sets of actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Self

from iam.policy.catalogue import AccessLevel
from iam.policy.document import Statement
from iam.policy.index.difference import AccessShift
from iam.policy.index.masks import ActionNumbering


class PermissionDelta(NamedTuple):
    """Sets of actions by what happens to them, named like the sorts of `iam.changes.access_effects`. For a
    single principal they are disjoint.
    """

    gained: int = 0
    wider: int = 0
    altered: int = 0
    conditional: int = 0
    narrower: int = 0
    lost: int = 0

    @classmethod
    def from_shift(cls, shift: AccessShift) -> Self:
        """The delta of a shift."""
        return cls(*(getattr(shift, name) for name in cls._fields))

    @classmethod
    def union(cls, deltas: Iterable[PermissionDelta]) -> Self:
        """What happens to actions for any of several principals. The sets may overlap."""
        total = [0] * len(cls._fields)
        for delta in deltas:
            total = [mask | other for mask, other in zip(total, delta, strict=True)]
        return cls(*total)

    @property
    def widening(self) -> tuple[tuple[str, int], ...]:
        """Pairs of sort and set for what may extend access."""
        return ("gained", self.gained), ("wider", self.wider), ("altered", self.altered)

    @property
    def narrowing(self) -> tuple[tuple[str, int], ...]:
        """Pairs of sort and set for what reduces access."""
        return ("lost", self.lost), ("narrower", self.narrower), ("conditional", self.conditional)


def actions_of(statement: Statement, space: ActionNumbering) -> int:
    """The actions that a statement matches."""
    mask = 0
    for pattern in statement.actions:
        mask |= space.actions.mask(pattern)
    return space.actions.everything ^ mask if statement.is_not_action else mask


def risky_actions(space: ActionNumbering) -> tuple[int, int]:
    """The actions that change IAM itself, and these together with permissions management in other
    services.
    """
    catalogue = space.catalogue
    reading = catalogue.mask_of_level(AccessLevel.LIST) | catalogue.mask_of_level(AccessLevel.READ)
    of_iam = catalogue.mask_of_service("iam") & ~reading
    return of_iam, of_iam | catalogue.mask_of_level(AccessLevel.PERMISSIONS)


def bits(mask: int, most: int) -> Iterator[int]:
    """The lowest bits of a set, at most `most`, each as a set of one action."""
    for _ in range(most):
        if not mask:
            return
        bit = mask & -mask
        mask ^= bit
        yield bit
