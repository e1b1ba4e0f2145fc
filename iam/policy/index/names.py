"""Finds which properties of a principal's name affect a decision: how the patterns that contain the name
relate to the patterns they may overlap with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import chain, permutations
from typing import Final, NamedTuple

from iam.policy import variables
from iam.policy.arns import is_incomplete, missing_segments, resource_tokens
from iam.policy.glob import ANY, WITHIN, Token
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.keys import is_own, own_values
from iam.policy.index.overlap import Tokens, overlaps
from iam.policy.index.patterns import ResourcePattern, normal
from iam.policy.index.probes import WORDS
from iam.policy.request import PrincipalKind, Values
from iam.policy.variables import PolicyVariable, VariableText

ABSTRACT: Final = frozenset({"aws:username", "aws:userid"})
"""Keys whose values usually don't matter: every other pattern matches all of their values or none."""
NAMES: Final = tuple(sorted(ABSTRACT))
PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9+=,.@_-]+")
ODD: Final = frozenset(WORDS)
"""Names that occur in requests in place of a wildcard."""
VARYING: Final = "\0"
Own = tuple[Values | None, ...]
Pair = tuple[VariableText, VariableText]


class PatternLetters(NamedTuple):
    """The literal runs between the wildcards of some patterns, one per line.

    `of_runs` matches the runs that can be part of a plain name. `beginnings` are prefixes of runs by their
    last letter, `endings` are suffixes by their first letter. `has_names`: True if some of the patterns
    contain names.
    """

    runs: str
    of_runs: re.Pattern[str] | None
    beginnings: Mapping[str, tuple[str, ...]]
    endings: Mapping[str, tuple[str, ...]]
    has_names: bool = False


class PrincipalNames:
    """A principal with its names.

    `is_odd`: True if a name isn't plain or stands for a wildcard. `sizes` are the numbers of values, None for
    an unknown one. `apart_from` are the numbers of pattern pairs that match all of the names or no part of
    them.
    """

    def __init__(self, member: IndexedPrincipal) -> None:
        self.member = member
        # Members backed by columns compute these on each access.
        self._kind, self._arn = member.kind, member.arn
        self._unique_id, self._tags = member.unique_id, member.tags
        self.values: Own = self._names()
        texts: list[str] = []
        sizes: list[int | None] = []
        for value in self.values:
            size = None if value is None else len(value)
            sizes.append(size)
            texts += value or ()
        self._texts, self.sizes = texts, tuple(sizes)
        self.is_odd = not all(map(PLAIN_NAME.fullmatch, texts)) or not ODD.isdisjoint(texts)
        self.apart_from: frozenset[int] = frozenset()
        self.judged_of = 0
        """The number of fixed pairs for which `apart_from` was computed."""
        self.known: dict[object, object] = {}
        """The relevant properties of the names, by the patterns that contain them."""
        self._relations: dict[Pair, str | None] = {}
        self._values: dict[tuple[str, ...], Own] = {}

    def _names(self) -> Own:
        """The values of the keys in NAMES."""
        if self._kind is PrincipalKind.USER and self._unique_id:
            # A shortcut for nearly all principals. It halves the time.
            return (self._unique_id,), (self._arn.rpartition("/")[2],)
        return tuple([self._value_of(key) for key in NAMES])

    def _value_of(self, key: str) -> Values | None:
        return own_values(self._kind, self._arn, self._unique_id, self._tags, key)

    def values_of(self, keys: tuple[str, ...]) -> Own:
        """The member's values for keys that differ between principals."""
        values = self._values.get(keys)
        if values is None:
            values = self._values[keys] = tuple([self._value_of(key) for key in keys])
        return values

    def is_apart_from(self, letters: PatternLetters) -> bool:
        """True if no literal run can match part of a name, alone or with the text next to it. The wildcards
        of a pattern then match all of the name or none of it, whatever the name is.
        """
        if None in self.values or (letters.has_names and not self._are_distinct()):
            return False
        for text in self._texts:
            if (
                text.startswith(letters.endings.get(text[:1], ()))
                or text.endswith(letters.beginnings.get(text[-1:], ()))
                or text in letters.runs
                or (letters.of_runs is not None and letters.of_runs.search(text))
            ):
                return False
        return True

    def _are_distinct(self) -> bool:
        """True if no name contains another or begins with the ending of one, so that none can match part of
        another or overlap with itself.
        """
        texts = self._texts
        if any(text in other for text, other in permutations(texts, 2)):
            return False
        beginnings: set[str] = set()
        endings: set[str] = set()
        for text in texts:
            for place in range(1, len(text)):
                beginnings.add(text[:place])
                endings.add(text[place:])
        return beginnings.isdisjoint(endings)

    def relation(self, pair: Pair) -> str | None:
        """The overlap of two patterns with the name filled in, with the name replaced by a placeholder; None
        if unknown.
        """
        if pair not in self._relations:
            self._relations[pair] = _relation(pair, self.member, self.values)
        return self._relations[pair]


class NumberedPairs:
    """Numbers pairs of patterns and tells for each which properties of a name matter."""

    def __init__(self) -> None:
        self._pairs: list[Pair] = []
        self._numbers: dict[Pair, int] = {}
        self._letters: dict[object, PatternLetters | None] = {}
        self._fixed: list[Pair] = []
        self._fixed_numbers: frozenset[int] = frozenset()
        """The pairs in which only the first pattern contains a name."""
        self._own_keys: tuple[str, ...] = ()
        """The other principal-specific keys that the fixed pairs depend on."""

    def number(self, pair: Pair) -> int:
        """The number of a pair, assigned at first use."""
        number = self._numbers.setdefault(pair, len(self._pairs))
        if number == len(self._pairs):
            self._pairs.append(pair)
            pattern, other = pair
            if not any(variable.key in ABSTRACT for variable in other.variables):
                self._fixed.append(pair)
                self._fixed_numbers |= {number}
                keys = {variable.key for variable in (*pattern.variables, *other.variables)}
                own_keys = filter(is_own, keys - ABSTRACT)
                self._own_keys = tuple(sorted({*self._own_keys, *own_keys}))
        return number

    def apart_from(self, named: PrincipalNames) -> frozenset[int]:
        """The numbers of the pairs known to match all of the names or no part of them. Usually one check
        against all fixed pairs is enough.
        """
        count = len(self._fixed)
        if named.judged_of != count:
            named.judged_of = count
            key = (count, named.values_of(self._own_keys))
            if key not in self._letters:
                self._letters[key] = letters_of(self._fixed, named.member)
            letters = self._letters[key]
            if letters is not None and named.is_apart_from(letters):
                named.apart_from |= self._fixed_numbers
        return named.apart_from

    def role(self, named: PrincipalNames, pairs: tuple[int, ...], key: object) -> object:
        """How the patterns of some pairs relate to each other with the name filled in; the name itself if
        that is undecided. `key` identifies the pairs together with the principal's values for other keys.
        """
        if key not in self._letters:
            self._letters[key] = letters_of([self._pairs[pair] for pair in pairs], named.member)
        letters = self._letters[key]
        if letters is not None and named.is_apart_from(letters):
            named.apart_from |= frozenset(pairs)
            return named.sizes
        relations = tuple(named.relation(self._pairs[pair]) for pair in pairs)
        return named.values if None in relations else (named.sizes, relations)


def letters_of(pairs: Iterable[Pair], member: IndexedPrincipal) -> PatternLetters | None:
    """The literal runs of the patterns that may overlap with those containing names, with the member's tags
    filled in; of both patterns if both contain names. None if there is a single-character wildcard, or a
    variable that isn't one of the member's own.
    """
    runs: dict[str, None] = {}
    has_names = False
    for with_name, against in pairs:
        others = [
            variable
            for variable in (*with_name.variables, *against.variables)
            if variable.key not in ABSTRACT
        ]
        values = [_held_in(other, member) for other in others]
        if () in values:
            # A pattern with a variable for an absent tag matches nothing.
            continue
        if None in values:
            return None
        meets_name = any(variable.key in ABSTRACT for variable in against.variables)
        has_names = has_names or meets_name
        for template in (with_name, against) if meets_name else (against,):
            run = ""
            for part in filled(template, member, name=VARYING):
                if part in (ANY, WITHIN, VARYING):
                    runs[run] = None
                    run = ""
                elif len(part) == 1:
                    run += part
                else:
                    return None
            runs[run] = None
    runs.pop("", None)
    beginnings: dict[str, tuple[str, ...]] = {}
    endings: dict[str, tuple[str, ...]] = {}
    for run in runs:
        # Only characters that a plain name can contain matter.
        for place, letter in enumerate(run):
            if PLAIN_NAME.fullmatch(run, 0, place + 1):
                beginnings[letter] = (*beginnings.get(letter, ()), run[: place + 1])
            if PLAIN_NAME.fullmatch(run, place):
                endings[letter] = (*endings.get(letter, ()), run[place:])
    of_runs = "|".join(re.escape(run) for run in runs if PLAIN_NAME.fullmatch(run))
    compiled = re.compile(of_runs) if of_runs else None
    return PatternLetters("\n".join(runs), compiled, beginnings, endings, has_names)


def value_of(member: IndexedPrincipal, key: str) -> Values | None:
    """The member's values for a key that differs between principals."""
    return own_values(member.kind, member.arn, member.unique_id, member.tags, key)


def pairs_of_names(docs: Mapping[IndexedDocument, None]) -> tuple[Pair, ...]:
    """Pairs of a pattern that contains names and another pattern that may match some names and not others."""
    pairs: dict[Pair, None] = {}
    for doc in docs:
        for other in docs if _has_names(doc) else ():
            pairs.update(dict.fromkeys(_pairs_of(doc, other)))
    return tuple(pairs)


@lru_cache(maxsize=16384)
def _has_names(doc: IndexedDocument) -> bool:
    return any(clause.traits.named & ABSTRACT for clause in doc.clauses)


@lru_cache(maxsize=65536)
def _pairs_of(doc: IndexedDocument, other: IndexedDocument) -> tuple[Pair, ...]:
    """Pairs of a pattern of the first document that contains names and a pattern of the other that may match
    only some of them.
    """
    pairs: dict[Pair, None] = {}
    for template in _templates(doc):
        if not any(variable.key in ABSTRACT for variable in template.variables):
            continue
        whole = ResourcePattern(filled(template, None))
        for against in _templates(other):
            if against == template:
                continue
            pattern = ResourcePattern(filled(against, None))
            if pattern.overlaps(whole) and (against.variables or not pattern.takes_in(whole)):
                pairs[template, against] = None
    return tuple(pairs)


@lru_cache(maxsize=16384)
def _templates(doc: IndexedDocument) -> tuple[VariableText, ...]:
    templates: dict[VariableText, None] = {}
    for clause in doc.clauses:
        for text in clause.resources or ():
            templates[variables.read(text, has_variables=clause.has_variables)] = None
    return tuple(templates)


def filled(template: VariableText, member: IndexedPrincipal | None, *, name: str = "") -> Tokens:
    """The pattern with the member's values filled in, or with `name` in place of the name. Other variables,
    and all variables without a member, match anything.
    """
    parts: list[Token] = []
    for part in template.parts:
        if not isinstance(part, PolicyVariable):
            parts.append(part)
            continue
        if name and part.key in ABSTRACT:
            parts.append(name)
            continue
        values = None if member is None else _held_in(part, member)
        parts += (ANY,) if values is None else values[0]
    if is_incomplete(parts):
        parts += missing_segments(parts)
    return tuple(normal(resource_tokens(parts)))


def _held_in(variable: PolicyVariable, member: IndexedPrincipal) -> Values | None:
    """A member's values for a variable: one value, none, or None if unknown."""
    if not is_own(variable.key):
        return None
    values = value_of(member, variable.key)
    if values == () and variable.default is not None:
        return (variable.default,)
    return values


def _relation(pair: Pair, member: IndexedPrincipal, values: Own) -> str | None:
    """The overlap of two patterns with the member's name filled in, with the name replaced by a placeholder;
    None if unknown.
    """
    of_both = chain.from_iterable(template.variables for template in pair)
    values_of_both = [_held_in(variable, member) for variable in of_both]
    if () in values_of_both:
        return "nothing"
    if None in values_of_both:
        return None
    texts = ("".join(cell) for cell in overlaps(*(filled(template, member) for template in pair)))
    return "|".join(_without(text, values) for text in texts)


def _without(text: str, values: Own) -> str:
    for tag_values in values:
        for value in tag_values or ():
            text = text.replace(value, VARYING)
    return text
