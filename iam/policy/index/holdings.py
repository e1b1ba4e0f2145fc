"""Divides actions by which of a principal's documents concern them. Principals that hold some of the same
documents share the work on these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from iam.policy.index.documents import IndexedDocument, Marks
from iam.policy.index.masks import ActionNumbering
from iam.policy.index.relevance import RelevanceMasks, lone_kind, masks_of
from iam.policy.index.weights import mask_without

Held = Mapping[IndexedDocument, Marks | None]
"""Documents with the principal's marks for them; None for documents without marks."""
Numbers = tuple[int, ...]
ABSENT: Final = object()
HeldDoc = tuple[IndexedDocument, object, object]
"""A document with how it is held before and after."""


class DocumentHolding(NamedTuple):
    """A document with its marks before and after, or `ABSENT`. `differs`: the two aren't equal.

    `plain` are the actions that it always allows on both sides. `denied` are those for which it matters even
    if another document always allows them. `kind` is its `lone_kind`, if it is held in the same way.
    """

    doc: IndexedDocument
    masks: RelevanceMasks
    differs: bool
    plain: int
    denied: int
    before: Any
    after: Any
    kind: object


class NumberedDocs:
    """Numbers documents by how they are held before and after."""

    def __init__(self, space: ActionNumbering) -> None:
        self._space = space
        self._masks: dict[IndexedDocument, RelevanceMasks] = {}
        self._numbers: dict[HeldDoc, int] = {}
        self._every: list[DocumentHolding] = []
        self.differing: set[int] = set()
        """The numbers of documents that are not held in the same way."""
        self.allowing: set[int] = set()
        """The numbers of documents that have an Allow statement for every action they concern."""
        self.lone: set[int] = set()
        """The numbers of documents with a `kind`."""

    def __getitem__(self, number: int) -> DocumentHolding:
        return self._every[number]

    def masks(self, doc: IndexedDocument) -> RelevanceMasks:
        """The actions that a document concerns."""
        masks = self._masks.get(doc)
        if masks is None:
            masks = self._masks[doc] = masks_of(doc, self._space)
        return masks

    def numbers_of(self, before: Held, after: Held) -> Numbers:
        """The numbers of all documents that either side holds, in ascending order."""
        keys: list[HeldDoc] = [(doc, marks, after.get(doc, ABSENT)) for doc, marks in before.items()]
        keys += [(doc, ABSENT, marks) for doc, marks in after.items() if doc not in before]
        return self.numbers(keys)

    def numbers(self, keys: Sequence[HeldDoc]) -> Numbers:
        """The numbers of documents, each with how it is held before and after, in ascending order."""
        known = self._numbers
        fresh = [key for key in keys if key not in known]
        for key in sorted(fresh, key=_rank):
            self._enter(*key)
        return tuple(sorted([known[key] for key in keys]))

    def _enter(self, doc: IndexedDocument, before: object, after: object) -> None:
        masks, differs = self.masks(doc), before != after
        plain, denied = (0, masks.any) if differs else (masks.plain, masks.denied)
        kind = None if differs else lone_kind(doc)
        holding = DocumentHolding(doc, masks, differs, plain, denied, before, after, kind)
        self._every.append(holding)
        number = self._numbers[doc, before, after] = len(self._numbers)
        if differs:
            self.differing.add(number)
        if masks.any == masks.allowed:
            self.allowing.add(number)
        if kind is not None:
            self.lone.add(number)


def _rank(key: HeldDoc) -> tuple[bool, str]:
    """Order documents with few holders last, so that many sequences begin alike."""
    doc = key[0]
    return lone_kind(doc) is not None, doc.digest


class DocumentActions:
    """Actions with the numbers of the documents that concern them. `slice` is computed from these, once for
    all principals that hold these documents, whatever else they hold.
    """

    __slots__ = ("mask", "numbers", "slice")

    def __init__(self, mask: int, numbers: Numbers) -> None:
        self.mask, self.numbers = mask, numbers
        self.slice: Any = None


Apart = Sequence[DocumentActions]


class ActionPartition(NamedTuple):
    """The actions that a change may concern. `sure` are those that a document always allows on both sides and
    that no differing document allows, divided by the documents that may deny them. `unsure` are the others,
    divided by all documents that concern them.
    """

    sure: Apart
    unsure: Apart


class _Stage:
    """The result for the first of some documents. `further` are the stages with one more document."""

    __slots__ = ("allowed", "denying", "further", "plain", "speaking")

    def __init__(self, allowed: int, plain: int, denying: Apart, speaking: Apart) -> None:
        self.allowed, self.plain = allowed, plain
        self.denying, self.speaking = denying, speaking
        self.further: dict[int, _Stage] = {}


class ActionPartitioner:
    """Divides actions, and keeps the result for each beginning of a sequence of documents."""

    def __init__(self, holdings: NumberedDocs, everything: int) -> None:
        self._holdings, self._everything = holdings, everything
        self._first: dict[tuple[Numbers, bool], tuple[int, _Stage]] = {}

    def parting(self, numbers: Numbers, differing: Numbers, *, is_everything: bool) -> ActionPartition:
        """Divide the actions by the documents with these numbers. `is_everything`: True includes actions that
        no differing document concerns.
        """
        first = self._first.get((differing, is_everything))
        if first is None:
            first = self._first[differing, is_everything] = self._begin(
                differing, is_everything=is_everything
            )
        given_mask, stage = first
        for number in numbers:
            further = stage.further.get(number)
            if further is None:
                further = stage.further[number] = self._one_more(stage, number, given_mask)
            stage = further
        # Without an allowing policy, an action stays denied. A root user needs none, but its limits may
        # differ.
        open_actions = self._everything if is_everything else stage.allowed
        sure = [_inside(each, stage.plain) for each in stage.denying] if stage.plain else []
        allowing, unsure = self._holdings.allowing, []
        for each in stage.speaking:
            if each.numbers:
                # Usually, one document allows all of them.
                is_open = not allowing.isdisjoint(each.numbers)
                open_part = each if is_open else _inside(each, open_actions)
                unsure.append(open_part)
        return ActionPartition([each for each in sure if each.mask], [each for each in unsure if each.mask])

    def _begin(self, differing: Numbers, *, is_everything: bool) -> tuple[int, _Stage]:
        """The actions that the differing documents allow, and the first stage with the actions they
        concern.
        """
        touched = given_mask = 0
        for number in differing:
            touched |= self._holdings[number].masks.any
            given_mask |= self._holdings[number].masks.allowed
        if is_everything:
            touched = self._everything
        whole = [DocumentActions(touched, ())] if touched else []
        return given_mask, _Stage(0, 0, whole, whole)

    def _one_more(self, stage: _Stage, number: int, given_mask: int) -> _Stage:
        holding = self._holdings[number]
        plain = mask_without(holding.plain, given_mask) if holding.plain else 0
        speaking, denying, speaks = stage.speaking, stage.denying, holding.masks.any
        if plain:
            # These are sure whatever other documents are held.
            speaking, speaks = _without(speaking, plain), mask_without(speaks, plain)
        if speaks:
            speaking = _refined(speaking, number, speaks)
        if holding.denied:
            denying = _refined(denying, number, holding.denied)
        return _Stage(stage.allowed | holding.masks.allowed, stage.plain | plain, denying, speaking)


def _inside(each: DocumentActions, mask: int) -> DocumentActions:
    return DocumentActions(each.mask & mask, each.numbers)


def _refined(parts: Apart, number: int, speaks: int) -> Apart:
    """Divide the parts further by whether one more document concerns them."""
    refined: list[DocumentActions] = []
    for each in parts:
        inside = each.mask & speaks
        if not inside:
            refined.append(each)
            continue
        refined.append(DocumentActions(inside, (*each.numbers, number)))
        if inside != each.mask:
            refined.append(DocumentActions(each.mask ^ inside, each.numbers))
    return refined


def _without(parts: Apart, taken: int) -> Apart:
    left: list[DocumentActions] = []
    for each in parts:
        inside = each.mask & taken
        if not inside:
            left.append(each)
        elif inside != each.mask:
            left.append(DocumentActions(each.mask ^ inside, each.numbers))
    return left
