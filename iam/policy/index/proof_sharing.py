"""Finds principals that a change affects alike: those with equal keys get the same result.

Only documents that concern the actions of the exchanged ones count. An account or name counts only if some
pattern or condition can distinguish it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple

from iam.policy.arns import SEGMENTS
from iam.policy.index.classes import IndexedPrincipal, PrincipalLimits, PrincipalProfile
from iam.policy.index.documents import IndexedDocument, IndexedStatement
from iam.policy.index.holdings import Held, Numbers
from iam.policy.index.keys import special_names
from iam.policy.index.masks import ActionNumbering
from iam.policy.index.names import (
    ABSTRACT,
    NAMES,
    VARYING,
    NumberedPairs,
    Own,
    Pair,
    PrincipalNames,
    pairs_of_names,
)
from iam.policy.index.relevance import stands_alone
from iam.policy.index.sides import PrincipalSide
from iam.policy.index.slices import (
    ActionRegion,
    ActionSlice,
    ActionSlicer,
    ControlBounds,
    Slices,
    held_by,
    limits_content,
)
from iam.policy.letter_case import fold
from iam.policy.request import Values

DIGITS: Final = re.compile(r"[0-9]")
ACCOUNT: Final = re.compile(r"[0-9]{12}")
IN_VARIABLE: Final = re.compile(r"\$\{[^}]*\}")


Traits = tuple[bool, tuple[str, ...], tuple[int, ...], bool]
"""Whether accounts are not distinguished, own keys, numbers of pairs, whether names matter."""


@dataclass(frozen=True, slots=True, eq=False)
class ActionPart:
    """What concerns some actions before and after: the same documents and limits.

    `number` is equal for parts with the same documents and limits. `keys` are own keys whose values matter.
    `pairs` are patterns containing a name, each with another pattern that may match some names and not
    others. `is_neutral`: accounts are not distinguished.
    """

    number: int
    held: ActionSlice
    limits: ControlBounds
    is_neutral: bool
    keys: tuple[str, ...] = ()
    pairs: tuple[int, ...] = ()
    has_names: bool = False
    sort: int = 0
    """A number for the four fields above."""
    near: ActionPart | None = None
    """The same part with only the relevant documents."""

    @property
    def within(self) -> int:
        """All actions for which the same holds as for those of the part."""
        return self.held.within & self.limits.within

    def sides(self, before: PrincipalSide, after: PrincipalSide) -> tuple[PrincipalSide, PrincipalSide]:
        """The two sides of a principal with only the policies that concern the actions."""
        # Principals exempt from these policies have none, whatever is above the account.
        scps_before = self.limits.before if before.scps else ()
        scps_after = self.limits.after if after.scps else ()
        left = replace(before, docs=self.held.before, scps=scps_before)
        right = replace(after, docs=self.held.after, scps=scps_after)
        return left, right


@dataclass(frozen=True, slots=True, eq=False)
class PartList:
    """Parts of the actions, and what distinguishes members in any of them."""

    number: int
    each: tuple[ActionPart, ...]
    is_neutral: bool
    keys: tuple[str, ...]
    pairs: tuple[int, ...]
    has_names: bool


@dataclass(frozen=True, slots=True, eq=False)
class ActionParts:
    """Sets of actions, each with what concerns it."""

    masks: tuple[int, ...]
    all: PartList


PartInRegion = tuple[int, ActionPart]
"""The actions of a region, and the part of a slice in it."""


class ProofKey(NamedTuple):
    """What members share for whom a part has the same result: the part's number, their place, values of keys
    and the role of the name.
    """

    part: int
    place: object
    values: tuple[Values | None, ...] = ()
    name: object = None


@dataclass(slots=True)
class ProofSharing:
    """Divides the actions of principals before and after a change into parts that other principals share."""

    space: ActionNumbering
    _parts: dict[tuple[PrincipalProfile | None, PrincipalProfile | None], ActionParts] = field(
        default_factory=dict
    )
    _by_numbers: dict[object, ActionParts] = field(default_factory=dict)
    _numbers: dict[object, int] = field(default_factory=dict)
    _traits: dict[int, Traits] = field(default_factory=dict)
    _sorts: dict[Traits, int] = field(default_factory=dict)
    _together_known: dict[frozenset[int], Traits] = field(default_factory=dict)
    _lists: dict[tuple[ActionPart, ...], PartList] = field(default_factory=dict)
    _known: dict[tuple[ActionSlice, ControlBounds], ActionPart] = field(default_factory=dict)
    _regions: dict[object, tuple[ActionRegion, ...]] = field(default_factory=dict)
    _meeting: dict[int, tuple[tuple[ActionRegion, ...], dict[ActionSlice, list[PartInRegion]]]] = field(
        default_factory=dict
    )
    """Regions, with the parts of slices that contain some of their actions."""
    _contents: dict[PrincipalLimits, object] = field(default_factory=dict)
    _once: dict[object, object] = field(default_factory=dict)
    _slicer: ActionSlicer = field(init=False)
    _standing: dict[str, object] = field(default_factory=dict)
    _pairs: NumberedPairs = field(default_factory=NumberedPairs)
    _named: PrincipalNames | None = None

    def __post_init__(self) -> None:
        self._slicer = ActionSlicer(self.space)

    def parts(
        self, before: PrincipalProfile | None, after: PrincipalProfile | None, *, is_renamed: bool
    ) -> ActionParts:
        """The actions that the change may concern, by the documents that concern them. If `is_renamed` (also
        for other tags), it may concern all actions.
        """
        parts = None if is_renamed else self._parts.get((before, after))
        if parts is None:
            limits = (None if before is None else before.limits, None if after is None else after.limits)
            numbers = self.numbers_of(held_by(before), held_by(after))
            parts = self.parts_of(numbers, limits, is_renamed=is_renamed)
        if not is_renamed:
            self._parts[before, after] = parts
        return parts

    def numbers_of(self, before: Held, after: Held) -> Numbers:
        """The numbers of the held documents."""
        return self._slicer.numbers_of(before, after)

    def parts_of(
        self,
        numbers: Numbers,
        limits: tuple[PrincipalLimits | None, PrincipalLimits | None],
        *,
        is_renamed: bool,
    ) -> ActionParts:
        """The same for held documents within limits, shared by all principals for whom both are equal."""
        contents = (self._content_of(limits[0]), self._content_of(limits[1]))
        is_everything = is_renamed or (None not in contents and contents[0] is not contents[1])
        regions = self._regions_of(contents, *limits)
        if not is_everything:
            beside = chain.from_iterable(bounds.docs for _, bounds in regions)
            numbers = self._slicer.with_stand_ins(numbers, beside=beside)
        key = (numbers, id(contents[0]), id(contents[1]), is_everything)
        parts = self._by_numbers.get(key)
        if parts is None:
            slices = self._slicer.slices(numbers, is_everything=is_everything)
            masks, each = self._parted(slices, regions)
            together = self._lists.get(each)
            if together is None:
                together = self._lists[each] = self._together(each)
            parts = self._by_numbers[key] = ActionParts(masks, together)
        return parts

    def _together(self, parts: tuple[ActionPart, ...]) -> PartList:
        sorts = frozenset([part.sort for part in parts])
        traits = self._together_known.get(sorts)
        if traits is None:
            traits = self._together_known[sorts] = (
                all(part.is_neutral for part in parts),
                tuple(sorted(set(chain.from_iterable([part.keys for part in parts])))),
                tuple(sorted(set(chain.from_iterable([part.pairs for part in parts])))),
                any(part.has_names for part in parts),
            )
        return PartList(len(self._lists), parts, *traits)

    def proof_key(
        self,
        part: ActionPart | PartList,
        member: IndexedPrincipal,
        facts: Mapping[str, object],
        *,
        is_apart: bool,
    ) -> ProofKey:
        """A key that is equal for all members for whom the part has the same result. `facts` are those of the
        account.
        """
        place: object = self.standing_of(member, facts) if part.is_neutral else member.account
        if is_apart:
            return ProofKey(part.number, (member.account, member.id))
        if not part.keys and not part.has_names:
            return ProofKey(part.number, place)
        values = self._named_of(member).values_of(part.keys)
        name = self._name(part, member, values) if part.has_names else None
        return ProofKey(part.number, place, values, name)

    def with_keys(self, parts: PartList, member: IndexedPrincipal) -> Iterator[tuple[ActionPart, object]]:
        """Each part with a key that is faster to compute than its `proof_key`; None if only that one will do.

        Among principals with equal `standing_of`, equal keys mean equal proof keys.
        """
        if not parts.has_names and not parts.keys:
            yield from ((part, (part, _place_of(part, member), ())) for part in parts.each)
            return
        named = self._named_of(member)
        # The role of a name of the most common type.
        plain = None if named.is_odd else named.sizes
        account, apart = member.account, self._pairs.apart_from(named)
        for part in parts.each:
            place = "" if part.is_neutral else account
            # Most have neither.
            values = named.values_of(part.keys) if part.keys else ()
            key: object = None
            if not part.has_names:
                key = (part, place, values)
            elif plain is not None and apart.issuperset(part.pairs):
                key = (part, place, values, plain)
            yield part, key

    def _named_of(self, member: IndexedPrincipal) -> PrincipalNames:
        if self._named is None or self._named.member is not member:
            self._named = PrincipalNames(member)
        return self._named

    def _name(self, part: ActionPart | PartList, member: IndexedPrincipal, tags: Own) -> object:
        """How the patterns containing the member's name relate to those they may overlap with; the name
        itself if that is undecided.
        """
        named = self._named_of(member)
        if named.is_odd:
            return named.values
        if self._pairs.apart_from(named).issuperset(part.pairs):
            return named.sizes
        key = (part.pairs, part.keys, tags)
        role = named.known.get(key)
        if role is None:
            role = named.known[key] = self._pairs.role(named, part.pairs, key)
        return role

    def standing_of(self, member: IndexedPrincipal, facts: Mapping[str, object]) -> object:
        """What may matter about an account if accounts are not distinguished."""
        standing = self._standing.get(member.account)
        if standing is None:
            partition = member.arn.split(":", 2)[1]
            organization = str(facts.get("aws:PrincipalOrgID", ""))
            has_paths = "aws:PrincipalOrgPaths" in facts
            standing = self._standing[member.account] = (partition, organization, has_paths)
        return standing

    def _parted(
        self, slices: Slices, regions: tuple[ActionRegion, ...]
    ) -> tuple[tuple[int, ...], tuple[ActionPart, ...]]:
        """Divide every slice by region. Return sets of actions, and the part for each."""
        # Stored with the regions, so that their id stays theirs.
        _, known = self._meeting.setdefault(id(regions), (regions, {}))
        masks: list[int] = []
        parts: list[ActionPart] = []
        for of_docs, piece in slices:
            meeting = known.get(piece)
            if meeting is None:
                meeting = known[piece] = self._parts_meeting(piece, regions)
            if len(meeting) == 1:
                masks.append(of_docs)
                parts.append(meeting[0][1])
                continue
            for mask, part in meeting:
                inside = of_docs & mask
                if inside:
                    masks.append(inside)
                    parts.append(part)
        return tuple(masks), tuple(parts)

    def _parts_meeting(self, piece: ActionSlice, regions: tuple[ActionRegion, ...]) -> list[PartInRegion]:
        """The part of a slice in each region that contains some of its actions."""
        within = piece.within
        return [(mask, self._part(piece, bounds)) for mask, bounds in regions if mask & within]

    def _content_of(self, limits: PrincipalLimits | None) -> object:
        if limits is None:
            return None
        bearing_content = self._contents.get(limits)
        if bearing_content is None:
            content = limits_content(limits)
            bearing_content = self._contents[limits] = self._once.setdefault(content, content)
        return bearing_content

    def _regions_of(
        self, contents: tuple[object, ...], before: PrincipalLimits | None, after: PrincipalLimits | None
    ) -> tuple[ActionRegion, ...]:
        region = self._regions.get(contents)
        if region is None:
            region = self._regions[contents] = tuple(self._slicer.regions(before, after))
        return region

    def _part(self, piece: ActionSlice, bounds: ControlBounds) -> ActionPart:
        """The part of a slice within bounds."""
        part = self._known.get((piece, bounds))
        if part is None:
            part = self._known[piece, bounds] = self._new_part(piece, bounds)
        return part

    def _new_part(self, piece: ActionSlice, bounds: ControlBounds) -> ActionPart:
        key = (_content_within(piece, bounds), bounds.content)
        number = self._numbers.setdefault(key, len(self._numbers))
        traits = self._traits.get(number)
        if traits is None:
            docs = dict.fromkeys((*piece.before, *piece.after, *bounds.docs))
            is_neutral, keys, pairs, has_names = _traits_of(docs)
            pair_numbers = tuple(self._pairs.number(pair) for pair in pairs)
            traits = self._traits[number] = (is_neutral, keys, pair_numbers, has_names)
        near = None if piece.near is None else self._part(piece.near, bounds)
        sort = self._sorts.setdefault(traits, len(self._sorts))
        return ActionPart(number, piece, bounds, *traits, sort, near)


def _content_within(piece: ActionSlice, bounds: ControlBounds) -> object:
    """A key that is equal for equivalent slices. It omits the documents that stand alone, if they do so
    within the bounds too.
    """
    if not piece.alone:
        return piece.content
    others = (*piece.held, *bounds.held)
    if all(stands_alone(doc, others) for doc in piece.alone):
        return ("alone", piece.common)
    return piece.content


def _place_of(part: ActionPart, member: IndexedPrincipal) -> str:
    """The account, if it may matter; otherwise ""."""
    return "" if part.is_neutral else member.account


def is_another(before: IndexedPrincipal, after: IndexedPrincipal) -> bool:
    """True if the principal differs from before in more than what it holds."""
    return before.arn != after.arn or before.tags != after.tags


def _traits_of(docs: Mapping[IndexedDocument, None]) -> tuple[bool, tuple[str, ...], tuple[Pair, ...], bool]:
    """Return whether accounts are not distinguished, the own keys whose values matter, pairs of patterns, and
    whether names matter.
    """
    every = [_doc_traits(doc) for doc in docs]
    is_neutral = all(each.is_neutral for each in every)
    own = frozenset[str]().union(*[each.own for each in every])
    named = frozenset[str]().union(*[each.named for each in every])
    if named - ABSTRACT or any(each.named_in_conditions for each in every):
        # The names themselves matter, like the values of other keys.
        return is_neutral, tuple(sorted(own | named)), (), False
    pairs = pairs_of_names(docs) if named else ()
    return is_neutral, tuple(sorted(own)), pairs, bool(named)


class _DocTraits(NamedTuple):
    """What a document may distinguish in a principal or account."""

    is_neutral: bool
    own: frozenset[str]
    named: frozenset[str]
    named_in_conditions: bool


@lru_cache(maxsize=65536)
def _doc_traits(doc: IndexedDocument) -> _DocTraits:
    traits = [clause.traits for clause in doc.clauses]
    own = set(chain.from_iterable((*each.raw, *each.tags) for each in traits))
    is_about_somebody = any(special_names(clause.shape.plain.principals or {}) for clause in doc.clauses)
    if is_about_somebody:
        own |= {"aws:principalarn", *NAMES}
    is_placed = is_about_somebody or any(each.is_placed for each in traits)
    return _DocTraits(
        is_neutral=not is_placed and all(map(_is_neutral, doc.clauses)),
        own=frozenset(own),
        named=frozenset(chain.from_iterable(each.named for each in traits)),
        named_in_conditions=any(each.named_in_conditions for each in traits),
    )


@lru_cache(maxsize=65536)
def _is_neutral(clause: IndexedStatement) -> bool:
    """True if the statement cannot distinguish accounts by their IDs."""
    if not all(map(_is_neutral_pattern, clause.resources or ())):
        return False
    return all(
        "tag" in fold(key) or all(map(_is_neutral_value, values)) for _, key, values in clause.conditions
    )


def _is_neutral_pattern(text: str) -> bool:
    if text == "*":
        return True
    segments = IN_VARIABLE.sub(VARYING, text).split(":", SEGMENTS - 1)
    return len(segments) == SEGMENTS and segments[SEGMENTS - 2] in ("", "*")


def _is_neutral_value(text: str) -> bool:
    if text.startswith("arn:"):
        return _is_neutral_pattern(text)
    if not DIGITS.search(text):
        return True
    return not ACCOUNT.search(text) and not any(sign in text for sign in "*?")
