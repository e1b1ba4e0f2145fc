"""Combines what policies allow and deny for all actions at once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import NamedTuple

from iam.policy.index.areas import ResourceElement
from iam.policy.index.documents import IndexedStatement
from iam.policy.index.elements import ActionElement
from iam.policy.index.masks import ActionNumbering
from iam.policy.logic import OPEN, YES


class OpenStatement(NamedTuple):
    """A statement in which only the resource is undecided. `mark` is YES, or OPEN if conditions are
    undecided. `reach` are the actions that can work on its resources.
    """

    clause: IndexedStatement
    mark: int
    reach: int = -1

    @property
    def allows(self) -> bool:
        """True if it allows, False if it denies."""
        return self.clause.allows

    @property
    def area(self) -> ResourceElement | None:
        """The resources it applies to; None means all."""
        return self.clause.area

    @property
    def shape(self) -> tuple[ActionElement, bool, int, bool, bool, int]:
        """Everything that masks depend on."""
        clause = self.clause
        return (
            clause.actions,
            clause.allows,
            self.mark,
            clause.is_partial,
            clause.is_partial and clause.fits_star,
            self.reach,
        )


class DocumentWeight(NamedTuple):
    """Sets of actions. `everywhere` is a subset of `some`, which is a subset of `maybe`. `parts` are in Allow
    statements about some resources. `perhaps` is denied conditionally on all resources, `perhaps_some` on
    some.
    """

    everywhere: int = 0
    some: int = 0
    maybe: int = 0
    parts: int = 0
    denied: int = 0
    denied_some: int = 0
    perhaps: int = 0
    perhaps_some: int = 0


def mask_of(piece: OpenStatement, space: ActionNumbering) -> tuple[int, int]:
    """The actions on all resources, and those on some. Actions without resource types aren't matched by a
    list of resources, but by a list of exceptions.
    """
    mask, alone, others = space.parted(piece.clause.actions)
    if not piece.clause.is_partial:
        return mask, 0
    return (alone if piece.clause.fits_star else 0), others & piece.reach


def combine(pieces: Iterable[OpenStatement], space: ActionNumbering) -> DocumentWeight:
    """Combine statements."""
    everywhere = in_some = maybe = parts = denied = denied_some = perhaps = perhaps_some = 0
    for piece in pieces:
        whole, part = mask_of(piece, space)
        if piece.allows:
            maybe |= whole | part
            parts |= part
            if piece.mark == YES:
                everywhere |= whole
                in_some |= whole | part
        elif piece.mark == YES:
            denied |= whole
            denied_some |= part
        elif piece.mark == OPEN:
            perhaps |= whole
            perhaps_some |= part
    return DocumentWeight(everywhere, in_some, maybe, parts, denied, denied_some, perhaps, perhaps_some)


def mask_without(mask: int, taken: int) -> int:
    """A set of actions without those of another. Twice as fast as with `~` for integers of this size."""
    return mask ^ (mask & taken)


def joined(weights: Iterable[DocumentWeight]) -> DocumentWeight:
    """Combine the statements of several documents."""
    sets = zip(DocumentWeight(), *weights, strict=True)
    return DocumentWeight._make([reduce(or_, masks) for masks in sets])


def all_together(weights: Iterable[DocumentWeight]) -> DocumentWeight:
    """Combine groups of policies that must all allow, and each of which can deny."""
    everywhere = in_some = maybe = -1
    parts = denied = denied_some = perhaps = perhaps_some = 0
    for each in weights:
        everywhere &= each.everywhere
        in_some &= each.some
        maybe &= each.maybe
        parts |= each.parts
        denied |= each.denied
        denied_some |= each.denied_some
        perhaps |= each.perhaps
        perhaps_some |= each.perhaps_some
    return DocumentWeight(everywhere, in_some, maybe, parts, denied, denied_some, perhaps, perhaps_some)
