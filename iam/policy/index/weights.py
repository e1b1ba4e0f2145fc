"""What policies that are weighed together say of all actions at once."""

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
    """A statement of which only the resource is open any more: `mark` is YES, or OPEN where it has
    conditions. `reach` are the actions that can work on its resources.
    """

    clause: IndexedStatement
    mark: int
    reach: int = -1

    @property
    def allows(self) -> bool:
        """Whether it allows; else it denies."""
        return self.clause.allows

    @property
    def area(self) -> ResourceElement | None:
        """The resources that it is about; None for all."""
        return self.clause.area

    @property
    def shape(self) -> tuple[ActionElement, bool, int, bool, bool, int]:
        """All of it that masks depend on."""
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
    """Sets of actions. What is allowed everywhere is among `some`, and that among `maybe`; `parts` has a
    statement about some resources. Of what is denied under conditions, `perhaps` is on all resources,
    `perhaps_some` on some.
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
    """(on all resources, on some): actions that work on everything only are not met by a list of resources,
    but by one of exceptions.
    """
    mask, alone, others = space.parted(piece.clause.actions)
    if not piece.clause.is_partial:
        return mask, 0
    return (alone if piece.clause.fits_star else 0), others & piece.reach


def combine(pieces: Iterable[OpenStatement], space: ActionNumbering) -> DocumentWeight:
    """Statements put together."""
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
    """A set of actions without those of another; twice as fast as with `~`, for numbers of so many bits."""
    return mask ^ (mask & taken)


def joined(weights: Iterable[DocumentWeight]) -> DocumentWeight:
    """The statements of several documents put together."""
    sets = zip(DocumentWeight(), *weights, strict=True)
    return DocumentWeight._make([reduce(or_, masks) for masks in sets])


def all_together(weights: Iterable[DocumentWeight]) -> DocumentWeight:
    """Groups of policies that must all allow, and each of which can deny."""
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
