"""Finds the actions that can work on the resources in a statement: `iam:*` on the ARN of a bucket allows
nothing in IAM.

This answers the same question as `iam.policy.applicability.can_apply`, for all actions of a service at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import chain
from typing import Final

from iam.policy.arns import is_incomplete
from iam.policy.catalogue import catalogue, source
from iam.policy.index.documents import IndexedStatement
from iam.policy.index.elements import EVERY_SERVICE
from iam.policy.letter_case import fold
from iam.policy.lint.overlaps import can_mean

EVERYTHING: Final = -1
WORD: Final = re.compile(r"[A-Za-z0-9]+")
VARIABLE: Final = re.compile(r"\$\{[^}]*\}")
WILDCARDS: Final = frozenset("*?")
MAX_PATTERNS: Final = 40
"""The maximum number of patterns in a statement. With more, every action is assumed to work on one of
them.
"""


def reach_of(clause: IndexedStatement) -> int:
    """The set of actions that a statement can apply to. It always includes actions that the catalogue
    lacks.
    """
    if clause.reach is None:
        # Most statements share the result with many others, and each has thousands of bits.
        clause.reach = _one(_reach_of(clause))
    return clause.reach


@lru_cache(maxsize=4096)
def _one(bits: int) -> int:
    return bits


def _reach_of(clause: IndexedStatement) -> int:
    statement = clause.source
    if not clause.is_partial or statement.is_not_resource or statement.resources is None:
        return EVERYTHING
    if len(statement.resources) > MAX_PATTERNS:
        return EVERYTHING
    actions = -1 << len(catalogue())
    for pattern in statement.resources:
        for service in clause.actions.services:
            actions |= _reach(_shape(pattern, service), service)
    return actions


def _shape(pattern: str, service: str) -> str:
    """The pattern with "x" for each word that occurs in no ARN of the service, such as `arn:aws:s3:::x-x/*`
    for any bucket name.
    """
    *head, last = pattern.split(":", 5)
    if len(head) < 5 or "$" in pattern:
        return pattern
    service_words = _words(service)

    def placeholder(match: re.Match[str]) -> str:
        word = match.group()
        before = last[match.start() - 1 : match.start()]
        after = last[match.end() : match.end() + 1]
        if before in WILDCARDS or after in WILDCARDS:
            # The word may continue in the wildcard.
            return word
        lowered = fold(word)
        if any(service_word in lowered for service_word in service_words):
            return word
        return "x"

    return ":".join([*head, WORD.sub(placeholder, last)])


@lru_cache(maxsize=512)
def _words(service: str) -> frozenset[str]:
    """The lowercase words in the ARNs of a service, without placeholders for names."""
    words = chain.from_iterable(WORD.findall(VARIABLE.sub("/", arn)) for arn in _formats(service))
    return frozenset(fold(word) for word in words)


@lru_cache(maxsize=4096)
def _reach(pattern: str, service: str) -> int:
    """The actions of a service that can work on something that matches a pattern."""
    if not pattern.strip("*?"):
        return EVERYTHING
    written = f"{pattern}:*" if is_incomplete(pattern) else pattern
    segment = _segment(written)
    actions = 0
    for arn, mask in _formats(service).items():
        own = _segment(arn)
        if (segment == own or "" in (segment, own)) and can_mean(written, arn, has_variables=True):
            actions |= mask
    return actions


def _segment(arn: str) -> str:
    """The service of an ARN; "" if it isn't fixed."""
    fields = arn.split(":", 3)
    written = fields[2] if len(fields) > 3 else ""
    is_open = {"*", "?", "$"} & set(written) or {"*", "?"} & set("".join(fields[:2]))
    return "" if is_open else written


@lru_cache(maxsize=512)
def _formats(service: str) -> Mapping[str, int]:
    """The ARN formats of the resources that a service's actions work on, each with these actions."""
    if service != EVERY_SERVICE:
        return _masks(_types(service)) if catalogue().has_service(service) else {}
    every: dict[str, list[str]] = {}
    for prefix in catalogue().prefixes:
        for arn, actions in _types(prefix).items():
            every.setdefault(arn, []).extend(actions)
    return _masks(every)


def _types(service: str) -> Mapping[str, list[str]]:
    """Read the file without caching, because all details of all services would stay in memory."""
    arns = source.resource_arns(service)
    types: dict[str, list[str]] = {}
    for action in source.read("actions", f"{service}.json").values():
        for resource_type in action["resourceTypes"]:
            arn = arns.get(fold(resource_type["name"]))
            if arn is not None:
                types.setdefault(arn, []).append(f"{service}:{action['name']}")
    return types


def _masks(types: Mapping[str, Iterable[str]]) -> Mapping[str, int]:
    known = catalogue()
    masks = {}
    for arn, actions in types.items():
        mask = 0
        for action in actions:
            place = known.index_of(action)
            mask |= 0 if place is None else 1 << place
        masks[arn] = mask
    return masks
