"""Takes actions apart by which of a principal's documents speak of them; principals who hold some of the same
documents share the work on these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from iam.policy.index.documents import Doc, Marks
from iam.policy.index.masks import Space
from iam.policy.index.relevance import Masks, lone_kind, masks_of
from iam.policy.index.weights import mask_without

Held = Mapping[Doc, Marks | None]
"""Documents, with how they see the principal where that differs."""
Numbers = tuple[int, ...]
Apart = tuple[tuple[int, Numbers], ...]
"""Sets of actions, each with the numbers of the documents that speak of it."""
ABSENT: Final = object()
HeldDoc = tuple[Doc, object, object]
"""A document with how it is held before and after."""


class Holding(NamedTuple):
    """A document as it is held before and after, with its marks or `ABSENT`; `differs`: not in the same way.
    `plain` is what it allows in any case on both sides, `denied` of which actions it speaks where another
    document does so. `kind` is its `lone_kind` where it is held in the same way.
    """

    doc: Doc
    masks: Masks
    differs: bool
    plain: int
    denied: int
    before: Any
    after: Any
    kind: object


class NumberedDocs:
    """Gives documents numbers, by how they are held before and after."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._masks: dict[Doc, Masks] = {}
        self._numbers: dict[HeldDoc, int] = {}
        self._every: list[Holding] = []

    def __getitem__(self, number: int) -> Holding:
        return self._every[number]

    def masks(self, doc: Doc) -> Masks:
        """The actions that a document speaks of."""
        masks = self._masks.get(doc)
        if masks is None:
            masks = self._masks[doc] = masks_of(doc, self._space)
        return masks

    def numbers_of(self, before: Held, after: Held) -> Numbers:
        """The numbers of all documents that either side holds, in ascending order."""
        return self.numbers(
            (doc, before.get(doc, ABSENT), after.get(doc, ABSENT)) for doc in {**before, **after}
        )

    def numbers(self, keys: Iterable[HeldDoc]) -> Numbers:
        """The numbers of documents, each as it is held before and after, in ascending order."""
        known, numbers, fresh = self._numbers, [], []
        for key in keys:
            number = known.get(key)
            if number is None:
                fresh.append(key)
            else:
                numbers.append(number)
        numbers += [self._enter(*key) for key in sorted(fresh, key=_rank)]
        numbers.sort()
        return tuple(numbers)

    def _enter(self, doc: Doc, before: object, after: object) -> int:
        masks, differs = self.masks(doc), before != after
        plain, denied = (0, masks.any) if differs else (masks.plain, masks.denied)
        kind = None if differs else lone_kind(doc)
        holding = Holding(doc, masks, differs, plain, denied, before, after, kind)
        self._every.append(holding)
        number = self._numbers[doc, before, after] = len(self._numbers)
        return number


def _rank(key: HeldDoc) -> tuple[bool, str]:
    """What only few hold comes last, so that many begin alike."""
    doc = key[0]
    return lone_kind(doc) is not None, doc.digest


class Parting(NamedTuple):
    """The actions that a change may concern. `sure` are those that a document of both sides allows in any
    case, and that none that differs allows, by those that may deny them; `unsure` the others, by all that
    speak of them.
    """

    sure: Apart
    unsure: Apart


class _Stage:
    """What is known of the first of some documents; `further` are the stages with one document more."""

    __slots__ = ("allowed", "denying", "further", "plain", "speaking")

    def __init__(self, allowed: int, plain: int, denying: Apart, speaking: Apart) -> None:
        self.allowed, self.plain = allowed, plain
        self.denying, self.speaking = denying, speaking
        self.further: dict[int, _Stage] = {}


class Partings:
    """Takes actions apart, and remembers it for the first one, two, three, … of some documents."""

    def __init__(self, holdings: NumberedDocs, everything: int) -> None:
        self._holdings, self._everything = holdings, everything
        self._first: dict[tuple[Numbers, bool], tuple[int, _Stage]] = {}

    def parting(self, numbers: Numbers, differing: Numbers, *, is_everything: bool) -> Parting:
        """By the documents with some numbers; `is_everything`: not only actions of those that differ."""
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
        # What no policy allows stays denied; but limits may differ for a root user, who needs none.
        open_actions = self._everything if is_everything else stage.allowed
        sure = ((mask & stage.plain, numbers) for mask, numbers in stage.denying)
        unsure = ((mask & open_actions, numbers) for mask, numbers in stage.speaking if numbers)
        return Parting(tuple(each for each in sure if each[0]), tuple(each for each in unsure if each[0]))

    def _begin(self, differing: Numbers, *, is_everything: bool) -> tuple[int, _Stage]:
        """What those allow that differ, and the actions that they concern."""
        touched = given_mask = 0
        for number in differing:
            touched |= self._holdings[number].masks.any
            given_mask |= self._holdings[number].masks.allowed
        if is_everything:
            touched = self._everything
        whole: Apart = ((touched, ()),) if touched else ()
        return given_mask, _Stage(0, 0, whole, whole)

    def _one_more(self, stage: _Stage, number: int, given_mask: int) -> _Stage:
        holding = self._holdings[number]
        plain = mask_without(holding.plain, given_mask) if holding.plain else 0
        speaking, denying, speaks = stage.speaking, stage.denying, holding.masks.any
        if plain:
            # Whatever else is held, these are sure.
            speaking, speaks = tuple(_without(speaking, plain)), mask_without(speaks, plain)
        if speaks:
            speaking = tuple(_refined(speaking, number, speaks))
        if holding.denied:
            denying = tuple(_refined(denying, number, holding.denied))
        return _Stage(stage.allowed | holding.masks.allowed, stage.plain | plain, denying, speaking)


def _refined(parts: Apart, number: int, speaks: int) -> Iterator[tuple[int, Numbers]]:
    """The parts, apart by whether one more document speaks of them."""
    for each in parts:
        mask, numbers = each
        inside = mask & speaks
        if not inside:
            yield each
            continue
        yield inside, (*numbers, number)
        if inside != mask:
            yield mask ^ inside, numbers


def _without(parts: Apart, taken: int) -> Iterator[tuple[int, Numbers]]:
    for mask, numbers in parts:
        left = mask_without(mask, taken)
        if left:
            yield left, numbers
