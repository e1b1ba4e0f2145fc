"""Divides the actions that a change may affect by the documents that concern them: those that a principal
holds, and the service control policies above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from iam.policy.index.classes import PrincipalLimits, PrincipalProfile
from iam.policy.index.documents import IndexedDocument, Marks
from iam.policy.index.holdings import ABSENT, ActionPartitioner, DocumentHolding, Held, NumberedDocs, Numbers
from iam.policy.index.masks import ActionNumbering
from iam.policy.index.relevance import (
    RelevanceMasks,
    allow_everything,
    is_apart,
    lone_kind,
    stands_alone,
    starts_of_clause,
)

HeldDocs = tuple[tuple[IndexedDocument, Marks | None], ...]
Scps = tuple[tuple[IndexedDocument, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class ActionSlice:
    """Actions that the same documents concern, among those that a principal holds before and after. `within`
    are all actions for which this is true whenever it is true for some of these.

    `content` is equal for slices with the same documents. `common` is also equal if they differ only in
    documents in `alone`. `before` and `after` may contain one document that allows everything, in place of
    several that always allow each of the actions between them. `near` omits documents that don't change the
    decision for any request whose decision may differ.
    """

    within: int
    before: tuple[IndexedDocument, ...]
    after: tuple[IndexedDocument, ...]
    content: tuple[Any, ...]
    held: tuple[tuple[IndexedDocument, Marks | None], ...] = ()
    alone: tuple[IndexedDocument, ...] = ()
    common: object = None
    near: ActionSlice | None = None
    leaves_out_names: bool = False
    """True if principals with the same holdings may differ by what is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class ControlBounds:
    """The service control policies that concern some actions, before and after. `content` identifies these
    policies and the other limits. Within one slicer, equal bounds are one object.
    """

    within: int
    before: Scps
    after: Scps
    content: object
    docs: tuple[IndexedDocument, ...]

    @property
    def held(self) -> Iterator[tuple[IndexedDocument, None]]:
        """The documents, without marks."""
        return ((doc, None) for doc in self.docs)


class ActionRegion(NamedTuple):
    """Actions with the same bounds."""

    mask: int
    bounds: ControlBounds


Slices = tuple[tuple[int, ActionSlice], ...]
"""Tuples that many slices share."""


class ActionSlicer:
    """Divides actions into slices."""

    def __init__(self, space: ActionNumbering) -> None:
        self._space = space
        self._everywhere: dict[IndexedDocument, int] = {}
        self._everything = allow_everything(space)
        self._known: dict[object, ActionSlice] = {}
        self._holdings = NumberedDocs(space)
        self._partings = ActionPartitioner(self._holdings, space.actions.everything)
        self._slices: dict[tuple[Numbers, bool], Slices] = {}
        self._bounds: dict[object, ControlBounds] = {}
        self._alike: dict[object, list[IndexedDocument]] = {}
        """Documents that represent others of the same kind."""
        self._starts_known: dict[
            tuple[IndexedDocument, Marks | None], list[tuple[int, tuple[str, ...] | None]]
        ] = {}

    def masks(self, doc: IndexedDocument) -> RelevanceMasks:
        """The actions that a document concerns."""
        return self._holdings.masks(doc)

    def numbers_of(self, before: Held, after: Held) -> Numbers:
        """The numbers of the held documents."""
        return self._holdings.numbers_of(before, after)

    def with_stand_ins(self, numbers: Numbers, *, beside: Iterable[IndexedDocument]) -> Numbers:
        """The held documents, with those equal in all but their own resources replaced by one representative.

        A document is replaced only if nothing else concerns its resources: neither the exchanged documents
        nor those `beside` them, such as control policies.
        """
        lone = self._holdings.lone
        if lone.isdisjoint(numbers):
            return numbers
        holdings = [self._holdings[number] for number in numbers]
        own = [holding for holding in holdings if holding.kind is not None]
        differing = [holding for holding in holdings if holding.differs]
        others: dict[IndexedDocument, Marks | None] = dict.fromkeys(beside)
        others.update((each.doc, each.before if each.after is ABSENT else each.after) for each in holdings)
        chosen: dict[IndexedDocument, IndexedDocument] = {}
        for holding in own:
            # If the exchanged documents may apply to everything, they apply to these resources too.
            if self._starts(holding.masks.any, differing) is not None:
                stand_in = self._stand_in(holding.doc, others, chosen)
                if stand_in is not None:
                    chosen[holding.doc] = stand_in
        if not chosen:
            return numbers
        return self._holdings.numbers(
            [(chosen.get(each.doc, each.doc), each.before, each.after) for each in holdings]
        )

    def _stand_in(
        self, doc: IndexedDocument, others: Held, chosen: Mapping[IndexedDocument, IndexedDocument]
    ) -> IndexedDocument | None:
        """The first equivalent document that isn't used already; None if other documents may concern the
        resources of either.
        """
        known = self._alike.setdefault(lone_kind(doc), [])
        stand_in = next((each for each in known if each not in others and each not in chosen.values()), doc)
        if doc in known:
            stand_in = doc
        elif stand_in is doc:
            known.append(doc)
        rest = [pair for pair in others.items() if pair[0] is not doc]
        is_alone = stands_alone(doc, rest) and (stand_in is doc or stands_alone(stand_in, rest))
        return stand_in if is_alone else None

    def slices(self, numbers: Numbers, *, is_everything: bool) -> Slices:
        """Divide the actions by the held documents. `is_everything`: True includes actions other than those
        of documents that only one side holds.
        """
        slices = self._slices.get((numbers, is_everything))
        if slices is None:
            slices = tuple(self._found(numbers, is_everything=is_everything))
            self._slices[numbers, is_everything] = slices
        return slices

    def _found(self, numbers: Numbers, *, is_everything: bool) -> Iterator[tuple[int, ActionSlice]]:
        differs = self._holdings.differing
        differing = tuple([number for number in numbers if number in differs])
        parting = self._partings.parting(numbers, differing, is_everything=is_everything)
        for each in parting.sure:
            yield each.mask, self._sure_slice(each.numbers, differing)
        everywhere = 0
        for number in differing:
            everywhere |= self._everywhere_of(self._holdings[number].doc)
        for each in parting.unsure:
            if each.slice is None:
                piece = self._slice(each.mask, each.numbers, everywhere=everywhere, is_whole=is_everything)
                each.slice = (each.mask, piece)
            yield each.slice

    def _sure_slice(self, numbers: Numbers, differing: Numbers) -> ActionSlice:
        key = ("sure", numbers, differing)
        known = self._known.get(key)
        if known is None:
            holdings = [self._holdings[number] for number in numbers]
            # A denying document concerns the same actions in all slices with this content.
            within = -1
            for number in differing:
                within &= ~self._holdings[number].masks.allowed
            for holding in holdings:
                within &= holding.denied
            content = _content(holdings)
            left, right = ((self._everything, *(doc for doc, _ in side)) for side in content)
            known = self._known[key] = ActionSlice(within, left, right, ("sure", *content))
        return known

    def _slice(self, mask: int, numbers: Numbers, *, everywhere: int, is_whole: bool) -> ActionSlice:
        is_anywhere = bool(mask & everywhere)
        key = (is_anywhere, numbers, is_whole)
        known = self._known.get(key)
        if known is None:
            holdings = [self._holdings[number] for number in numbers]
            content = _content(holdings)
            within = -1
            for holding in holdings:
                within &= holding.masks.any
            left, right = (tuple(doc for doc, _ in side) for side in content)
            alone, common = ((), None) if is_anywhere else _alone(holdings, content)
            shared_docs = tuple(dict.fromkeys((*content[0], *content[1]))) if alone else ()
            left_out = () if is_whole else tuple(self._needless(within, holdings))
            near = None
            if left_out:
                rest = tuple([number for number in numbers if self._holdings[number].doc not in left_out])
                near = self._slice(mask, rest, everywhere=everywhere, is_whole=is_whole)
            has_names = any(self._has_names(doc, within) for doc in left_out)
            known = self._known[key] = ActionSlice(
                within, left, right, content, shared_docs, alone, common, near, has_names
            )
        return known

    def _needless(self, within: int, holdings: Sequence[DocumentHolding]) -> Iterator[IndexedDocument]:
        """The kept documents that are irrelevant to the documents that differ: they say nothing about the
        same resources, or no more than another document.
        """
        kept = [holding for holding in holdings if not holding.differs]
        # Of documents that allow the same, a receipt names the one with the last digest.
        best = max([each.doc.digest for each in kept if not within & ~each.plain], default="")
        changed = self._starts(within, [each for each in holdings if each.differs])
        for each in kept:
            doc = each.doc
            if doc.digest < best and not each.masks.denied & within:
                yield doc
            elif changed is not None:
                starts = self._starts(within, [each])
                if starts is not None and is_apart(starts, changed):
                    yield doc

    def _has_names(self, doc: IndexedDocument, within: int) -> bool:
        speaking = [clause.traits for clause in doc.clauses if self._space.mask(clause.actions) & within]
        return any(each.named or each.raw or each.tags for each in speaking)

    def _starts(self, within: int, holdings: Iterable[DocumentHolding]) -> list[str] | None:
        """The prefixes of the patterns in statements that concern some of the actions; None if one of them
        may apply to everything.
        """
        starts: list[str] = []
        for holding in holdings:
            for marks in dict.fromkeys((holding.before, holding.after)):
                if marks is ABSENT:
                    continue
                for mask, begins in self._starts_of(holding.doc, marks):
                    if mask & within:
                        if begins is None:
                            return None
                        starts += begins
        return starts

    def _starts_of(
        self, doc: IndexedDocument, marks: Marks | None
    ) -> list[tuple[int, tuple[str, ...] | None]]:
        starts = self._starts_known.get((doc, marks))
        if starts is None:
            starts = self._starts_known[doc, marks] = [
                (self._space.mask(clause.actions), starts_of_clause(doc, clause, marks))
                for clause in doc.clauses
            ]
        return starts

    def _everywhere_of(self, doc: IndexedDocument) -> int:
        """The actions that the document may allow on resources that none of its patterns names."""
        mask = self._everywhere.get(doc)
        if mask is None:
            mask = 0
            for clause in doc.clauses:
                if clause.allows and (not clause.is_partial or clause.shape.is_not_resource):
                    mask |= self._space.mask(clause.actions)
            self._everywhere[doc] = mask
        return mask

    def regions(
        self, before: PrincipalLimits | None, after: PrincipalLimits | None
    ) -> Iterator[ActionRegion]:
        """Divide all actions by the service control policies that concern them."""
        docs: dict[IndexedDocument, None] = {}
        for limits in (before, after):
            for level in limits.levels.scps if limits else ():
                docs.update((doc, None) for _, doc in level)
        speaking = [(doc, self.masks(doc).any) for doc in docs]
        others = tuple(chain.from_iterable(_others(limits) for limits in (before, after)))
        for mask, docs_apart in _apart(self._space.actions.everything, speaking):
            within = -1
            for doc in docs_apart:
                within &= self.masks(doc).any
            docs_held = frozenset(docs_apart)
            content = (limits_content(before, docs_held), limits_content(after, docs_held))
            bounds = self._bounds.get(content)
            if bounds is None:
                scps = (_scps(before, docs_held), _scps(after, docs_held))
                bounds = self._bounds[content] = ControlBounds(within, *scps, content, (*docs_held, *others))
            yield ActionRegion(mask, bounds)


def _content(holdings: Sequence[DocumentHolding]) -> tuple[HeldDocs, HeldDocs]:
    left = tuple([(each.doc, each.before) for each in holdings if each.before is not ABSENT])
    return left, tuple([(each.doc, each.after) for each in holdings if each.after is not ABSENT])


def _alone(
    holdings: Sequence[DocumentHolding], content: tuple[HeldDocs, HeldDocs]
) -> tuple[tuple[IndexedDocument, ...], object]:
    """The documents that may stand alone, and what the slice shares with others apart from these."""
    kinds = {each.doc: each.kind for each in holdings if each.kind is not None}
    if not kinds:
        return (), None
    rest = tuple(tuple(pair for pair in side if pair[0] not in kinds) for side in content)
    return tuple(kinds), (rest, frozenset((kind, doc.tags) for doc, kind in kinds.items()), len(kinds))


def _apart(
    mask: int, docs: Iterable[tuple[IndexedDocument, int]]
) -> list[tuple[int, tuple[IndexedDocument, ...]]]:
    """Divide a set of actions by which of the documents concern them."""
    parts: list[tuple[int, tuple[IndexedDocument, ...]]] = [(mask, ())] if mask else []
    for doc, speaks in docs:
        if not speaks & mask:
            continue
        refined = []
        for part, docs_of_part in parts:
            inside = part & speaks
            if inside:
                refined.append((inside, (*docs_of_part, doc)))
            if part != inside:
                refined.append((part ^ inside, docs_of_part))
        parts = refined
    return parts


def held_by(profile: PrincipalProfile | None) -> dict[IndexedDocument, Marks | None]:
    """The documents of a profile, with their marks."""
    if profile is None:
        return {}
    marks_by_doc: dict[IndexedDocument, Marks | None] = dict.fromkeys(profile.bundle.docs)
    marks_by_doc.update({each.doc: each.marks for each in profile.marked})
    return marks_by_doc


def limits_content(
    limits: PrincipalLimits | None, documents: frozenset[IndexedDocument] | None = None
) -> object:
    """What identifies the limits. `documents` restricts the service control policies that count; None means
    all.
    """
    if limits is None:
        return None
    levels = limits.levels
    marks = []
    scps = set(chain.from_iterable(_scps(limits, None)))
    # Principals exempt from these policies have no marks for them.
    marked = levels.marked if limits.level_marks else ()
    for doc, mark in zip(marked, limits.level_marks, strict=True):
        if documents is None or doc in documents or doc not in scps:
            marks.append((doc, mark))
    rcps = tuple(tuple(doc for _, doc in level) for level in levels.rcps)
    bounds = (limits.flags, limits.boundary, limits.boundary_marks, levels.is_management)
    return (*bounds, _scps(limits, documents), rcps, tuple(marks))


def _scps(limits: PrincipalLimits | None, documents: frozenset[IndexedDocument] | None) -> Scps:
    if limits is None:
        return ()
    return tuple(
        tuple(doc for _, doc in level if documents is None or doc in documents)
        for level in limits.levels.scps
    )


def _others(limits: PrincipalLimits | None) -> Iterator[IndexedDocument]:
    if limits is None:
        return
    if limits.boundary is not None:
        yield limits.boundary
    for level in limits.levels.rcps:
        yield from (doc for _, doc in level)
