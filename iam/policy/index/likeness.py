"""Whom a change concerns alike: what becomes of one principal becomes of every other one with the same key.

Only documents that speak of actions of the exchanged ones count. An account or a name counts only where some
pattern or condition can tell it from others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple

from iam.policy import variables
from iam.policy.arns import SEGMENTS, is_incomplete, missing_segments, resource_tokens
from iam.policy.glob import ANY, Token
from iam.policy.index.classes import Limits, Marked, Member, Profile
from iam.policy.index.documents import Clause, Doc
from iam.policy.index.keys import is_own, own_values, special_names
from iam.policy.index.masks import Space
from iam.policy.index.overlap import Tokens, overlaps
from iam.policy.index.patterns import Pattern, normal
from iam.policy.index.probes import WORDS
from iam.policy.letter_case import fold
from iam.policy.request import Values
from iam.policy.variables import Variable, VariableText

ABSTRACT: Final = frozenset({"aws:username", "aws:userid"})
"""Keys that mostly stand where every other pattern takes in all of their values, or none."""
NAMES: Final = tuple(sorted(ABSTRACT))
PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9+=,.@_-]+")
DIGITS: Final = re.compile(r"[0-9]")
ACCOUNT: Final = re.compile(r"[0-9]{12}")
IN_VARIABLE: Final = re.compile(r"\$\{[^}]*\}")
VARYING: Final = "\0"
Held = Doc | Marked
Own = tuple[Values | None, ...]
Pair = tuple[VariableText, VariableText]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Actions of which the same documents speak, before and after.

    `number` is equal for parts with the same documents and limits. `keys` are own keys whose values matter;
    `pairs` are patterns with a name in them, each with another one that may take in some names and not
    others; `is_neutral`: accounts are not told apart.
    """

    number: int
    mask: int
    before: tuple[Doc, ...]
    after: tuple[Doc, ...]
    is_neutral: bool
    keys: tuple[str, ...] = ()
    pairs: tuple[int, ...] = ()
    has_names: bool = False


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
    _parts: dict[tuple[Profile | None, Profile | None], tuple[Part, ...]] = field(default_factory=dict)
    _numbers: dict[object, int] = field(default_factory=dict)
    _traits: dict[int, tuple[bool, tuple[str, ...], tuple[int, ...], bool]] = field(default_factory=dict)
    _masks: dict[Doc, int] = field(default_factory=dict)
    _standing: dict[str, object] = field(default_factory=dict)
    _pairs: list[Pair] = field(default_factory=list)
    _pair_numbers: dict[Pair, int] = field(default_factory=dict)
    _named: Member | None = None
    _relations: dict[int, str | None] = field(default_factory=dict)

    def parts(self, before: Member | None, after: Member | None) -> tuple[Part, ...]:
        """The actions that the change may concern, by the documents that speak of them."""
        profiles = (
            None if before is None else before.cls.profile,
            None if after is None else after.cls.profile,
        )
        is_renamed = before is not None and after is not None and is_another(before, after)
        if is_renamed:
            return tuple(self._parted(*profiles, touched=self.space.actions.everything))
        found = self._parts.get(profiles)
        if found is None:
            touched = self._touched(*profiles)
            found = self._parts[profiles] = tuple(self._parted(*profiles, touched=touched))
        return found

    def kin(self, part: Part, member: Member, facts: Mapping[str, object], *, is_apart: bool) -> Kin:
        """Equal for all members for whom the same becomes of the part; `facts` are those of the account."""
        place: object = self._standing_of(member, facts) if part.is_neutral else member.account
        if is_apart:
            return Kin(part.number, (member.account, member.id))
        if not part.keys and not part.has_names:
            return Kin(part.number, place)
        values = tuple([_value(member, key) for key in part.keys])
        name = self._name(member, part) if part.has_names else None
        return Kin(part.number, place, values, name)

    def _name(self, member: Member, part: Part) -> object:
        """How the patterns with the member's name in them lie to those that they might meet; the name itself
        where that does not decide.
        """
        values: Own = tuple([_value(member, key) for key in NAMES])
        texts = chain.from_iterable(held or () for held in values)
        if any(not PLAIN_NAME.fullmatch(text) or text in WORDS for text in texts):
            return values
        if self._named is not member:
            self._named, self._relations = member, {}
        relations = []
        for pair in part.pairs:
            if pair not in self._relations:
                self._relations[pair] = _relation(self._pairs[pair], member, values)
            relations.append(self._relations[pair])
        if None in relations:
            return values
        sizes: list[int | None] = []
        for held in values:
            size = None if held is None else len(held)
            sizes.append(size)
        return tuple(sizes), tuple(relations)

    def _standing_of(self, member: Member, facts: Mapping[str, object]) -> object:
        found = self._standing.get(member.account)
        if found is None:
            partition = member.arn.split(":", 2)[1]
            organization = str(facts.get("aws:PrincipalOrgID", ""))
            has_paths = "aws:PrincipalOrgPaths" in facts
            found = self._standing[member.account] = (partition, organization, has_paths)
        return found

    def _touched(self, before: Profile | None, after: Profile | None) -> int:
        """The actions of documents that only one of the two holds; all where something else differs too."""
        if before is not None and after is not None and before.limits.key != after.limits.key:
            return self.space.actions.everything
        one = frozenset() if before is None else frozenset(before.bundle.docs)
        other = frozenset() if after is None else frozenset(after.bundle.docs)
        mask = 0
        for doc in one ^ other:
            mask |= self._mask(doc)
        return mask

    def _parted(self, before: Profile | None, after: Profile | None, *, touched: int) -> Iterator[Part]:
        one, other = _held(before), _held(after)
        parts: list[tuple[int, tuple[Doc, ...]]] = [(touched, ())]
        for doc in sorted(one | other, key=lambda doc: doc.digest):
            mask = self._mask(doc)
            refined = []
            for part, docs in parts:
                inside = part & mask
                if inside:
                    refined.append((inside, (*docs, doc)))
                if part ^ inside:
                    refined.append((part ^ inside, docs))
            parts = refined
        limits_before = None if before is None else before.limits
        limits_after = None if after is None else after.limits
        limits = (limits_before, limits_after)
        for mask, docs in parts:
            left = tuple(doc for doc in docs if doc in one)
            right = tuple(doc for doc in docs if doc in other)
            if docs:
                held = (tuple(one[doc] for doc in left), tuple(other[doc] for doc in right))
                yield self._part(
                    mask, left, right, (held, tuple(each and each.key for each in limits)), limits
                )

    def _part(
        self,
        mask: int,
        before: tuple[Doc, ...],
        after: tuple[Doc, ...],
        content: object,
        limits: tuple[Limits | None, ...],
    ) -> Part:
        number = self._numbers.setdefault(content, len(self._numbers))
        traits = self._traits.get(number)
        if traits is None:
            docs = dict.fromkeys((*before, *after))
            limiting = chain.from_iterable(_limiting(each) for each in limits if each)
            docs.update(dict.fromkeys(limiting))
            is_neutral, keys, pairs, has_names = _traits_of(docs)
            numbers = tuple(self._number(pair) for pair in pairs)
            traits = self._traits[number] = (is_neutral, keys, numbers, has_names)
        return Part(number, mask, before, after, *traits)

    def _number(self, pair: Pair) -> int:
        number = self._pair_numbers.setdefault(pair, len(self._pairs))
        if number == len(self._pairs):
            self._pairs.append(pair)
        return number

    def _mask(self, doc: Doc) -> int:
        found = self._masks.get(doc)
        if found is None:
            found = 0
            for clause in doc.clauses:
                found |= self.space.mask(clause.actions)
            self._masks[doc] = found
        return found

    def common(self, part: Part) -> int:
        """All actions of which each document of the part speaks."""
        mask = -1
        for doc in (*part.before, *part.after):
            mask &= self._mask(doc)
        return mask


def is_another(before: Member, after: Member) -> bool:
    """Whether the principal is told apart from what it was by more than by what it holds."""
    return before.arn != after.arn or before.tags != after.tags


def _held(profile: Profile | None) -> dict[Doc, Held]:
    if profile is None:
        return {}
    found: dict[Doc, Held] = {doc: doc for doc in profile.bundle.docs}
    found.update({each.doc: each for each in profile.marked})
    return found


def _traits_of(docs: Mapping[Doc, None]) -> tuple[bool, tuple[str, ...], tuple[Pair, ...], bool]:
    """(whether accounts are not told apart, own keys whose values matter, pairs of patterns, whether names
    matter).
    """
    clauses = list(chain.from_iterable(doc.clauses for doc in docs))
    traits = [clause.traits for clause in clauses]
    own = set(chain.from_iterable((*each.raw, *each.tags) for each in traits))
    named = set(chain.from_iterable(each.named for each in traits))
    is_about_somebody = any(special_names(clause.source.principals or {}) for clause in clauses)
    if is_about_somebody:
        own |= {"aws:principalarn", *NAMES}
    if named - ABSTRACT or any(each.named_in_conditions for each in traits):
        own |= named
        named = set()
    is_placed = is_about_somebody or any(each.is_placed for each in traits)
    is_neutral = not is_placed and all(map(_is_neutral, clauses))
    return is_neutral, tuple(sorted(own)), _pairs(docs) if named else (), bool(named)


def _limiting(limits: Limits) -> Iterator[Doc]:
    if limits.boundary is not None:
        yield limits.boundary
    for level in (*limits.levels.scps, *limits.levels.rcps):
        yield from (doc for _, doc in level)


@lru_cache(maxsize=65536)
def _is_neutral(clause: Clause) -> bool:
    """Whether the statement cannot tell one account from another by its number."""
    if not all(map(_is_neutral_pattern, clause.source.resources or ())):
        return False
    return all(
        "tag" in fold(key) or all(map(_is_neutral_value, values))
        for _, key, values in clause.source.conditions
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


def _value(member: Member, key: str) -> Values | None:
    return own_values(member.kind, member.arn, member.unique_id, member.tags, key)


def _pairs(docs: Mapping[Doc, None]) -> tuple[Pair, ...]:
    found: dict[Pair, None] = {}
    for doc in docs:
        for other in docs if _has_names(doc) else ():
            found.update(dict.fromkeys(_pairs_of(doc, other)))
    return tuple(found)


@lru_cache(maxsize=16384)
def _has_names(doc: Doc) -> bool:
    return any(clause.traits.named & ABSTRACT for clause in doc.clauses)


@lru_cache(maxsize=65536)
def _pairs_of(doc: Doc, other: Doc) -> tuple[Pair, ...]:
    """Patterns of the first with names in them, each with one of the other that may take in some names
    only.
    """
    found: dict[Pair, None] = {}
    for template in _templates(doc):
        if not any(variable.key in ABSTRACT for variable in template.variables):
            continue
        whole = Pattern(_filled(template, None))
        for against in _templates(other):
            if against == template:
                continue
            pattern = Pattern(_filled(against, None))
            if pattern.meets(whole) and (against.variables or not pattern.takes_in(whole)):
                found[template, against] = None
    return tuple(found)


@lru_cache(maxsize=16384)
def _templates(doc: Doc) -> tuple[VariableText, ...]:
    found: dict[VariableText, None] = {}
    for clause in doc.clauses:
        for text in clause.source.resources or ():
            found[variables.read(text, has_variables=clause.has_variables)] = None
    return tuple(found)


def _filled(template: VariableText, member: Member | None) -> Tokens:
    """The pattern with the member's values in it; variables of other keys, or of nobody, stand for
    anything.
    """
    parts: list[Token] = []
    for part in template.parts:
        if not isinstance(part, Variable):
            parts.append(part)
            continue
        values = None if member is None else _held_in(part, member)
        parts += (ANY,) if values is None else values[0]
    if is_incomplete(parts):
        parts += missing_segments(parts)
    return tuple(normal(resource_tokens(parts)))


def _held_in(variable: Variable, member: Member) -> Values | None:
    """What a member has in a variable: one value, none, or (None) what it does not say."""
    if not is_own(variable.key):
        return None
    values = _value(member, variable.key)
    if values == () and variable.default is not None:
        return (variable.default,)
    return values


def _relation(pair: Pair, member: Member, values: Own) -> str | None:
    """What two patterns have in common once the member's name stands in them, without the name; None where it
    does not say.
    """
    of_both = chain.from_iterable(template.variables for template in pair)
    held = [_held_in(variable, member) for variable in of_both]
    if () in held:
        return "nothing"
    if None in held:
        return None
    texts = ("".join(cell) for cell in overlaps(*(_filled(template, member) for template in pair)))
    return "|".join(_without(text, values) for text in texts)


def _without(text: str, values: Own) -> str:
    for held in values:
        for value in held or ():
            text = text.replace(value, VARYING)
    return text
