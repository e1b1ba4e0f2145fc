"""Whom a change concerns alike: what becomes of one principal becomes of every other one with the same key.

Only documents that speak of actions of the exchanged ones count. An account or a name counts only where some
pattern or condition can tell it from others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple

from iam.policy.arns import SEGMENTS
from iam.policy.index.classes import Limits, Member, Profile
from iam.policy.index.documents import Doc, IndexedStatement
from iam.policy.index.holdings import Held
from iam.policy.index.keys import special_names
from iam.policy.index.masks import Space
from iam.policy.index.names import (
    ABSTRACT,
    NAMES,
    VARYING,
    Letters,
    Named,
    Own,
    Pair,
    letters_of,
    pairs_of_names,
)
from iam.policy.index.relevance import stands_alone
from iam.policy.index.sides import Side
from iam.policy.index.slices import Region, Slice, Slicer, Slices, held_by, limits_content
from iam.policy.letter_case import fold
from iam.policy.request import Values

DIGITS: Final = re.compile(r"[0-9]")
ACCOUNT: Final = re.compile(r"[0-9]{12}")
IN_VARIABLE: Final = re.compile(r"\$\{[^}]*\}")


Traits = tuple[bool, tuple[str, ...], tuple[int, ...], bool]
"""Whether accounts are not told apart, own keys, numbers of pairs, whether names matter."""


@dataclass(frozen=True, slots=True, eq=False)
class ActionPart:
    """What speaks of some actions before and after: the same documents and limits.

    `number` is equal for parts with the same documents and limits. `keys` are own keys whose values matter;
    `pairs` are patterns with a name in them, each with another one that may take in some names and not
    others; `is_neutral`: accounts are not told apart.
    """

    number: int
    held: Slice
    limits: Region
    is_neutral: bool
    keys: tuple[str, ...] = ()
    pairs: tuple[int, ...] = ()
    has_names: bool = False
    sort: int = 0
    """A number for the four before."""
    near: ActionPart | None = None
    """The same with nothing but what the change bears on."""

    @property
    def within(self) -> int:
        """All actions of which the same is true as of those of the part."""
        return self.held.within & self.limits.within

    def sides(self, before: Side, after: Side) -> tuple[Side, Side]:
        """A principal on both sides, with nothing but what speaks of the actions."""
        # Who is exempt from these policies has none, whatever stands above the account.
        scps_before = self.limits.before if before.scps else ()
        scps_after = self.limits.after if after.scps else ()
        left = replace(before, docs=self.held.before, scps=scps_before)
        right = replace(after, docs=self.held.after, scps=scps_after)
        return left, right


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Sets of actions, each with what speaks of it; and what tells members apart in any of them."""

    number: int
    each: tuple[tuple[int, ActionPart], ...]
    is_neutral: bool
    keys: tuple[str, ...]
    pairs: tuple[int, ...]
    has_names: bool


class Kin(NamedTuple):
    """What members have in common for whom the same becomes of a part: its number, where they are, values of
    keys, the role of the name.
    """

    part: int
    place: object
    values: tuple[Values | None, ...] = ()
    name: object = None


@dataclass(slots=True)
class Likeness:
    """Takes principals before and after a change apart into what others have in common with them."""

    space: Space
    _parts: dict[tuple[Profile | None, Profile | None], Parts] = field(default_factory=dict)
    _by_numbers: dict[object, Parts] = field(default_factory=dict)
    _numbers: dict[object, int] = field(default_factory=dict)
    _traits: dict[int, Traits] = field(default_factory=dict)
    _sorts: dict[Traits, int] = field(default_factory=dict)
    _together_known: dict[frozenset[int], Traits] = field(default_factory=dict)
    _known: dict[tuple[Slice, Region], ActionPart] = field(default_factory=dict)
    _regions: dict[object, tuple[Region, ...]] = field(default_factory=dict)
    _meeting: dict[int, tuple[tuple[Region, ...], dict[Slice, tuple[Region, ...]]]] = field(
        default_factory=dict
    )
    """Regions with those of them that hold some of the actions of a slice."""
    _contents: dict[Limits, object] = field(default_factory=dict)
    _once: dict[object, object] = field(default_factory=dict)
    _slicer: Slicer = field(init=False)
    _standing: dict[str, object] = field(default_factory=dict)
    _pairs: list[Pair] = field(default_factory=list)
    _pair_numbers: dict[Pair, int] = field(default_factory=dict)
    _letters: dict[object, Letters | None] = field(default_factory=dict)
    _named: Named | None = None
    _count: int = 0

    def __post_init__(self) -> None:
        self._slicer = Slicer(self.space)

    def parts(self, before: Profile | None, after: Profile | None, *, is_renamed: bool) -> Parts:
        """The actions that the change may concern, by the documents that speak of them; for who `is_renamed`,
        or has other tags, it may concern all.
        """
        parts = None if is_renamed else self._parts.get((before, after))
        if parts is None:
            limits = (None if before is None else before.limits, None if after is None else after.limits)
            parts = self.parts_of(held_by(before), held_by(after), limits, is_renamed=is_renamed)
        if not is_renamed:
            self._parts[before, after] = parts
        return parts

    def parts_of(
        self, before: Held, after: Held, limits: tuple[Limits | None, Limits | None], *, is_renamed: bool
    ) -> Parts:
        """The same by what is held within limits, for all of whom neither can be told apart."""
        contents = (self._content_of(limits[0]), self._content_of(limits[1]))
        is_everything = is_renamed or (None not in contents and contents[0] is not contents[1])
        regions = self._regions_of(contents, *limits)
        numbers = self._slicer.numbers_of(before, after)
        if not is_everything:
            beside = chain.from_iterable(region.docs for region in regions)
            numbers = self._slicer.with_stand_ins(numbers, beside=beside)
        key = (numbers, id(contents[0]), id(contents[1]), is_everything)
        parts = self._by_numbers.get(key)
        if parts is None:
            slices = self._slicer.slices(numbers, is_everything=is_everything)
            parts = self._by_numbers[key] = self._together(tuple(self._parted(slices, regions)))
        return parts

    def _together(self, parts: tuple[tuple[int, ActionPart], ...]) -> Parts:
        self._count += 1
        sorts = frozenset([part.sort for _, part in parts])
        traits = self._together_known.get(sorts)
        if traits is None:
            every = [part for _, part in parts]
            traits = self._together_known[sorts] = (
                all(part.is_neutral for part in every),
                tuple(sorted(set(chain.from_iterable([part.keys for part in every])))),
                tuple(sorted(set(chain.from_iterable([part.pairs for part in every])))),
                any(part.has_names for part in every),
            )
        return Parts(self._count, parts, *traits)

    def likeness_key(
        self, part: ActionPart | Parts, member: Member, facts: Mapping[str, object], *, is_apart: bool
    ) -> Kin:
        """Equal for all members for whom the same becomes of the part; `facts` are those of the account."""
        place: object = self.standing_of(member, facts) if part.is_neutral else member.account
        if is_apart:
            return Kin(part.number, (member.account, member.id))
        if not part.keys and not part.has_names:
            return Kin(part.number, place)
        values = self._named_of(member).values_of(part.keys)
        name = self._name(part, member, values) if part.has_names else None
        return Kin(part.number, place, values, name)

    def with_keys(self, parts: Parts, member: Member) -> Iterator[tuple[int, ActionPart, object]]:
        """Each part with a key that is equal only where its `likeness_key` is, for principals of whose
        accounts the same is true (`standing_of`), and is sooner made; None where it takes that.
        """
        if not parts.has_names and not parts.keys:
            yield from ((mask, part, (part, _place_of(part, member))) for mask, part in parts.each)
            return
        named = self._named_of(member)
        # What a name of the most common sort says.
        plain = None if named.is_odd else named.sizes
        for mask, part in parts.each:
            key: object = None
            if not part.has_names and not part.keys:
                key = (part, _place_of(part, member))
            elif not part.has_names:
                key = (part, _place_of(part, member), named.values_of(part.keys))
            elif plain is not None and named.apart_from.issuperset(part.pairs):
                key = (part, _place_of(part, member), named.values_of(part.keys), plain)
            yield mask, part, key

    def _named_of(self, member: Member) -> Named:
        if self._named is None or self._named.member is not member:
            self._named = Named(member)
        return self._named

    def _name(self, part: ActionPart | Parts, member: Member, tags: Own) -> object:
        """How the patterns with the member's name in them lie to those that they might meet; the name itself
        where that does not decide.
        """
        named = self._named_of(member)
        if named.is_odd:
            return named.values
        if named.apart_from.issuperset(part.pairs):
            return named.sizes
        key = (part.pairs, part.keys, tags)
        role = named.known.get(key)
        if role is None:
            if key not in self._letters:
                self._letters[key] = letters_of([self._pairs[pair] for pair in part.pairs], member)
            role = named.known[key] = self._role(part, named, self._letters[key])
        return role

    def _role(self, part: ActionPart | Parts, named: Named, letters: Letters | None) -> object:
        if letters is not None and named.is_apart_from(letters):
            named.apart_from |= frozenset(part.pairs)
            return named.sizes
        relations = tuple(named.relation(self._pairs[pair]) for pair in part.pairs)
        return named.values if None in relations else (named.sizes, relations)

    def standing_of(self, member: Member, facts: Mapping[str, object]) -> object:
        """What of an account may matter where accounts are not told apart."""
        standing = self._standing.get(member.account)
        if standing is None:
            partition = member.arn.split(":", 2)[1]
            organization = str(facts.get("aws:PrincipalOrgID", ""))
            has_paths = "aws:PrincipalOrgPaths" in facts
            standing = self._standing[member.account] = (partition, organization, has_paths)
        return standing

    def _parted(self, slices: Slices, regions: tuple[Region, ...]) -> Iterator[tuple[int, ActionPart]]:
        """Every slice within every region."""
        # Kept with the regions, whose id is theirs as long as somebody has them.
        _, known = self._meeting.setdefault(id(regions), (regions, {}))
        for of_docs, piece in slices:
            meeting = known.get(piece)
            if meeting is None:
                meeting = known[piece] = tuple(each for each in regions if each.mask & piece.within)
            if len(meeting) == 1:
                yield of_docs, self._known.get((piece, meeting[0])) or self._part(piece, meeting[0])
                continue
            for region in meeting:
                mask = of_docs & region.mask
                if mask:
                    yield mask, self._known.get((piece, region)) or self._part(piece, region)

    def _content_of(self, limits: Limits | None) -> object:
        if limits is None:
            return None
        bearing_content = self._contents.get(limits)
        if bearing_content is None:
            content = limits_content(limits)
            bearing_content = self._contents[limits] = self._once.setdefault(content, content)
        return bearing_content

    def _regions_of(
        self, contents: tuple[object, ...], before: Limits | None, after: Limits | None
    ) -> tuple[Region, ...]:
        region = self._regions.get(contents)
        if region is None:
            region = self._regions[contents] = tuple(self._slicer.regions(before, after))
        return region

    def _part(self, piece: Slice, region: Region) -> ActionPart:
        """What speaks of the actions that a slice and a region have in common."""
        known = self._known.get((piece, region))
        if known is None:
            content: object = piece.content
            others = (*piece.held, *region.held) if piece.alone else ()
            if piece.alone and all(stands_alone(doc, others) for doc in piece.alone):
                content = ("alone", piece.common)
            key = (content, region.content)
            number = self._numbers.setdefault(key, len(self._numbers))
            traits = self._traits.get(number)
            if traits is None:
                docs = dict.fromkeys((*piece.before, *piece.after, *region.docs))
                is_neutral, keys, pairs, has_names = _traits_of(docs)
                numbers = tuple(self._number(pair) for pair in pairs)
                traits = self._traits[number] = (is_neutral, keys, numbers, has_names)
            near = None if piece.near is None else self._part(piece.near, region)
            sort = self._sorts.setdefault(traits, len(self._sorts))
            known = self._known[piece, region] = ActionPart(number, piece, region, *traits, sort, near)
        return known

    def _number(self, pair: Pair) -> int:
        number = self._pair_numbers.setdefault(pair, len(self._pairs))
        if number == len(self._pairs):
            self._pairs.append(pair)
        return number


def _place_of(part: ActionPart, member: Member) -> str:
    """The account, where it may matter which one it is."""
    return "" if part.is_neutral else member.account


def is_another(before: Member, after: Member) -> bool:
    """Whether the principal is told apart from what it was by more than by what it holds."""
    return before.arn != after.arn or before.tags != after.tags


def _traits_of(docs: Mapping[Doc, None]) -> tuple[bool, tuple[str, ...], tuple[Pair, ...], bool]:
    """(whether accounts are not told apart, own keys whose values matter, pairs of patterns, whether names
    matter).
    """
    every = [_doc_traits(doc) for doc in docs]
    own = set(chain.from_iterable([each.own for each in every]))
    named = set(chain.from_iterable([each.named for each in every]))
    if named - ABSTRACT or any(each.named_in_conditions for each in every):
        own |= named
        named = set()
    is_neutral = all(each.is_neutral for each in every)
    return is_neutral, tuple(sorted(own)), pairs_of_names(docs) if named else (), bool(named)


class _DocTraits(NamedTuple):
    """What of a principal or an account a document may tell."""

    is_neutral: bool
    own: frozenset[str]
    named: frozenset[str]
    named_in_conditions: bool


@lru_cache(maxsize=65536)
def _doc_traits(doc: Doc) -> _DocTraits:
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
    """Whether the statement cannot tell one account from another by its number."""
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
