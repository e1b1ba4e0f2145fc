"""Describes actions of one service on the same resources as clauses of sentences: "read objects in
s3://pay-ledger". Without side effects.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from iam.policy.catalogue import AccessLevel, ResourceType, catalogue
from iam.policy.letter_case import fold
from iam.policy.lint.overlaps import can_mean
from iam.policy.sentences.abilities import LISTING, PhrasedAbility, abilities_of
from iam.policy.sentences.labels import level_of, service_name, type_names
from iam.policy.sentences.places import EVERYTHING, PhraseReader, join, place_of_all_objects, places_in_words
from iam.policy.sentences.sentence import SentenceClaim

WORDS: Final = {
    AccessLevel.LIST: "list",
    AccessLevel.READ: "read",
    AccessLevel.WRITE: "write",
    AccessLevel.TAGGING: "tagging",
    AccessLevel.PERMISSIONS: "permissions management",
}
"""Access levels in the order of sentences."""
WEIGHTS: Final = {
    AccessLevel.PERMISSIONS: 2,
    AccessLevel.WRITE: 3,
    AccessLevel.TAGGING: 4,
    AccessLevel.READ: 5,
    AccessLevel.LIST: 6,
}
UNKNOWN_WEIGHT: Final = 1
NAMED: Final = 3
"""Maximum number of actions to name. More are counted."""
MINOR: Final = frozenset({"s3:GetBucketLocation"})
"""Actions of little significance."""
MINOR_WEIGHT: Final = 8
FEWEST_OF_LEVEL: Final = 4
"""A level with fewer actions is described by its actions."""
WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class SentenceClause:
    """A permission as a clause: `verbs` with `rest` ("objects in s3://pay-ledger"). Clauses with the same
    `rest` form one sentence.

    A clause without verbs is complete in its `rest`. Clauses with a lower `weight` come first; verbs of one
    sentence are in their `order`.
    """

    verbs: tuple[str, ...]
    rest: str
    plain_rest: str
    claim: SentenceClaim
    weight: int
    order: int = 0


def clauses_of(
    service: str, actions: Iterable[str], resources: Sequence[str], *, account_id: str = ""
) -> list[SentenceClause]:
    """Return the clauses of known actions of a service on resources that each of them works on."""
    left = set(actions)
    clauses: list[SentenceClause] = []
    for clause in _whole_levels(service, left, resources):
        clauses.append(clause)
        left -= set(clause.claim.actions)
    known = frozenset(left)
    for ability, spoken in abilities_of(service, known):
        if _applies(ability, resources):
            clauses.append(_ability_clause(ability, spoken, service, resources, account_id))
            left -= spoken
    if left:
        clauses.append(_counted(service, left, resources, account_id))
    return clauses


def weight_of(actions: Iterable[str]) -> int:
    """Return the weight of the most significant action."""
    return min((_weight(action) for action in actions), default=UNKNOWN_WEIGHT)


def _weight(action: str) -> int:
    if action in MINOR:
        return MINOR_WEIGHT
    level = level_of(action)
    return UNKNOWN_WEIGHT if level is None else WEIGHTS[level]


def _whole_levels(service: str, actions: set[str], resources: Sequence[str]) -> Iterator[SentenceClause]:
    """Yield clauses for access levels of which every action is allowed on all resources."""
    if EVERYTHING not in resources:
        return
    known = catalogue()
    whole: list[AccessLevel] = []
    names: list[str] = []
    for level in WORDS:
        of_level = known.names(known.mask_of_service(service) & known.mask_of_level(level))
        if len(of_level) >= FEWEST_OF_LEVEL and actions.issuperset(of_level):
            whole.append(level)
            names += of_level
    if whole:
        words = f"all {join([WORDS[level] for level in whole])} actions in {service_name(service)}"
        yield _clause((), words, words, names, (EVERYTHING,))


def _clause(
    verbs: tuple[str, ...], rest: str, plain_rest: str, actions: Iterable[str], resources: Sequence[str]
) -> SentenceClause:
    names = tuple(sorted(actions))
    return SentenceClause(verbs, rest, plain_rest, SentenceClaim(names, tuple(resources)), weight_of(names))


def _applies(ability: PhrasedAbility, resources: Sequence[str]) -> bool:
    """Return True if every resource can have the type of the ability."""
    if not ability.kind or EVERYTHING in resources:
        return True
    kinds = _kinds(ability)
    return all(any(can_mean(arn, kind.arn, has_variables=True) for kind in kinds) for arn in resources)


def _kinds(ability: PhrasedAbility) -> list[ResourceType]:
    """Return the resource types with the ability's type name, among those of its actions."""
    name = "bucket" if ability.kind == LISTING else ability.kind
    of_needs = chain.from_iterable(catalogue().resource_types(action) for action in sorted(ability.needs))
    kinds = {kind.arn: kind for kind in of_needs if kind.name == name}
    return list(kinds.values())


def _ability_clause(
    ability: PhrasedAbility, spoken: frozenset[str], service: str, resources: Sequence[str], account_id: str
) -> SentenceClause:
    rests = [
        " ".join(filter(None, (ability.noun, _ability_place(ability, spoken, service, resources, reader))))
        for reader in (PhraseReader(account_id), PhraseReader(account_id, is_plain=True))
    ]
    clause = _clause((ability.verb,), rests[0], rests[1], spoken, resources)
    return replace(clause, order=ability.order)


def _ability_place(
    ability: PhrasedAbility,
    spoken: frozenset[str],
    service: str,
    resources: Sequence[str],
    reader: PhraseReader,
) -> str:
    if not ability.kind:
        return ""
    if service == "s3" and ability.kind in ("object", LISTING):
        if EVERYTHING in resources:
            return place_of_all_objects(reader)
        if ability.kind == LISTING:
            inside = [f"{arn}/{EVERYTHING}" for arn in resources]
            return places_in_words(inside, _object_kinds(), reader=reader)
    if EVERYTHING in resources:
        return f"all {type_names(service, ability.kind)[1]}"
    return places_in_words(resources, _kinds_of(spoken), reader=reader)


def _object_kinds() -> tuple[ResourceType, ...]:
    return tuple(kind for kind in catalogue().resource_types("s3:GetObject") if kind.name == "object")


def _kinds_of(actions: Iterable[str]) -> list[ResourceType]:
    """Return every resource type of the actions, without duplicates."""
    of_actions = chain.from_iterable(catalogue().resource_types(action) for action in sorted(actions))
    kinds = {kind.arn: kind for kind in of_actions}
    return list(kinds.values())


def _counted(service: str, actions: set[str], resources: Sequence[str], account_id: str) -> SentenceClause:
    """Return a clause with the actions by name, or with their number per level."""
    where = [
        _on(service, actions, resources, reader)
        for reader in (PhraseReader(account_id), PhraseReader(account_id, is_plain=True))
    ]
    names = sorted(actions)
    if len(names) <= NAMED:
        words = join(names)
        plain = join([in_plain_words(name) for name in names])
        where[1] = where[1] or f" in {service_name(service)}"
    else:
        words = plain = f"{_number_of(names)} in {service_name(service)}"
    return _clause((), words + where[0], plain + where[1], names, resources)


def _on(service: str, actions: set[str], resources: Sequence[str], reader: PhraseReader) -> str:
    if EVERYTHING in resources:
        takes_resources = any(
            not catalogue().mask(action) & catalogue().mask_without_resources for action in actions
        )
        return " on all resources" if takes_resources else ""
    words = places_in_words(resources, _kinds_of(actions), reader=reader)
    return f" on {words}" if words else ""


def _number_of(actions: Sequence[str]) -> str:
    """Return the number of actions in words, such as "12 actions (9 list, 3 write)" or "131 list actions"."""
    counts = dict.fromkeys(WORDS, 0)
    for action in actions:
        level = level_of(action)
        if level is not None:
            counts[level] += 1
    present = [level for level in WORDS if counts[level]]
    if len(present) == 1:
        return f"{len(actions):,} {WORDS[present[0]]} actions"
    detail = ", ".join(f"{counts[level]:,} {WORDS[level]}" for level in present)
    return f"{len(actions):,} actions ({detail})"


def wide_clause(services: int, actions: Sequence[str]) -> SentenceClause:
    """Return a clause for actions of many services on all resources."""
    words = f"{_number_of(actions)} in {services:,} services on all resources"
    return _clause((), words, words, actions, (EVERYTHING,))


def in_plain_words(action: str) -> str:
    """Return the name of an action as words, such as "start instances"."""
    words = []
    for word in WORD.findall(action.partition(":")[2]):
        is_abbreviation = word.isupper() and len(word) > 1
        if not is_abbreviation:
            word = fold(word)
        words.append(word)
    return " ".join(words)
