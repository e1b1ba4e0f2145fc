"""Builds policy statements from the chosen parts, so that each action is only combined with resources it
works on.

An action without resource types works on Resource `*` only, so it gets a statement of its own. Source:
"Actions, resources, and condition keys for AWS services", the column Resource types.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, product
from typing import Any, Final

from iam.access.builder.parts import BuilderCondition, ServicePart
from iam.policy.catalogue import catalogue
from iam.policy.catalogue.global_keys import GLOBAL_KEYS
from iam.policy.document import CURRENT
from iam.policy.letter_case import fold
from iam.policy.lint.overlaps import can_mean

EVERY: Final = ("*",)
BY_ACTION: Final = frozenset({"aws:resourcetag/${tagkey}", "aws:requesttag/${tagkey}", "aws:tagkeys"})
"""Global keys that requests have only for actions that list them."""
FEWEST: Final = 4
"""The minimum number of actions with a common beginning to write as a pattern, if it matches
exactly these.
"""

Given = tuple[str, str, frozenset[tuple[str, str, frozenset[str]]]]
"""An action on a resource under conditions: what a policy gives, independent of how its statements are
written.
"""


@dataclass(frozen=True, slots=True)
class StatementGroup:
    """Actions of one part that share resources and conditions, and so a statement."""

    actions: tuple[str, ...]
    arns: tuple[str, ...]
    whens: tuple[BuilderCondition, ...]


@dataclass(frozen=True, slots=True)
class IneffectivePart:
    """Something in a part without effect: actions that no resource fits (`key` ""), or that lack a condition
    key.
    """

    part: int
    actions: tuple[str, ...]
    key: str = ""


@dataclass(frozen=True, slots=True)
class BuiltDocument:
    """The built document, and the ineffective parts of the choice.

    `unlimited` are (part, actions) that work on `*` only.
    """

    statements: tuple[dict[str, Any], ...]
    lacks: tuple[IneffectivePart, ...]
    unlimited: tuple[tuple[int, tuple[str, ...]], ...]
    unused: tuple[tuple[int, str], ...]

    @property
    def document(self) -> dict[str, Any]:
        """The policy document."""
        return {"Version": CURRENT, "Statement": list(self.statements)}

    @property
    def text(self) -> str:
        """The document with one element per line; "" if it is empty."""
        return json.dumps(self.document, indent=2, ensure_ascii=False) if self.statements else ""


def build(parts: Sequence[ServicePart]) -> BuiltDocument:
    """The statements of parts, in order. Ineffective parts are left out and reported."""
    return _built(tuple(parts))


@lru_cache(maxsize=64)
def _built(parts: tuple[ServicePart, ...]) -> BuiltDocument:
    """Cached, because a page needs the same parts several times."""
    statements: list[dict[str, Any]] = []
    lacks: list[IneffectivePart] = []
    unlimited: list[tuple[int, tuple[str, ...]]] = []
    unused: list[tuple[int, str]] = []
    resource_types = catalogue().resource_types
    for number, part in enumerate(parts):
        statements += [_statement(part, group) for group in groups_of(part)]
        lacks += _lacks(number, part)
        without_resources = tuple(action for action in part.actions if not resource_types(action))
        if without_resources:
            unlimited.append((number, without_resources))
        unused += [(number, arn) for arn in unused_arns(part)]
    return BuiltDocument(tuple(statements), tuple(lacks), tuple(unlimited), tuple(unused))


def groups_of(part: ServicePart) -> list[StatementGroup]:
    """The statements of a part: those on named resources, then those on any."""
    actions_by_scope: dict[tuple[tuple[str, ...], tuple[BuilderCondition, ...]], list[str]] = {}
    for action in part.actions:
        arns = arns_for(part, action)
        if arns:
            actions_by_scope.setdefault((arns, whens_for(part, action)), []).append(action)
    groups = [
        StatementGroup(tuple(actions), arns, whens) for (arns, whens), actions in actions_by_scope.items()
    ]
    return sorted(groups, key=lambda group: group.arns == EVERY)


def arns_for(part: ServicePart, action: str) -> tuple[str, ...]:
    """The resources of a part that an action works on; `*` if it can't be limited; empty if none fits."""
    types = catalogue().resource_types(action)
    if part.everywhere or not types:
        return EVERY
    return tuple(
        arn for arn in part.arns if any(resource_fits(arn, resource_type.arn) for resource_type in types)
    )


def unused_arns(part: ServicePart) -> tuple[str, ...]:
    """Named resources that no chosen action works on."""
    if part.everywhere:
        return ()
    used = set(chain.from_iterable(arns_for(part, action) for action in part.actions))
    return tuple(arn for arn in part.arns if arn not in used)


@lru_cache(maxsize=16_384)
def resource_fits(arn: str, pattern: str) -> bool:
    """True if a resource in a policy can be of the type with this ARN format."""
    return can_mean(arn, pattern, has_variables=True)


def whens_for(part: ServicePart, action: str) -> tuple[BuilderCondition, ...]:
    """The conditions of a part that apply to an action."""
    return tuple(when for when in part.whens if not when.where_known or has_key(action, when.key))


def has_key(action: str, key: str) -> bool:
    """True if requests for an action have the condition key, according to AWS's lists."""
    condition_key = catalogue().condition_key(key)
    if condition_key is None:
        return False
    name = fold(condition_key.name)
    if name in GLOBAL_KEYS and name not in BY_ACTION:
        return True
    return name in {fold(known_key) for known_key in catalogue().condition_keys(action)}


def _lacks(number: int, part: ServicePart) -> Iterator[IneffectivePart]:
    homeless = tuple(action for action in part.actions if not arns_for(part, action))
    if homeless:
        yield IneffectivePart(number, homeless)
    for when in part.whens:
        strange = tuple(action for action in part.actions if not has_key(action, when.key))
        if strange and not when.where_known:
            yield IneffectivePart(number, strange, when.key)


def _statement(part: ServicePart, group: StatementGroup) -> dict[str, Any]:
    actions = shortened(group.actions)
    statement: dict[str, Any] = {"Effect": "Allow", "Action": _plain(actions), "Resource": _plain(group.arns)}
    conditions: dict[str, dict[str, Any]] = {}
    for when in group.whens:
        conditions.setdefault(when.operator, {})[when.key] = _plain(when.values)
    if conditions:
        statement["Condition"] = conditions
    return statement


def _plain(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


@lru_cache(maxsize=1024)
def shortened(actions: tuple[str, ...]) -> tuple[str, ...]:
    """The actions, with those of a common beginning as a pattern if it currently matches exactly them."""
    known, kept, covered = catalogue(), list[str](), 0
    mask = 0
    for action in actions:
        mask |= known.mask(action)
    for action in actions:
        if known.mask(action) & covered:
            continue
        pattern = next((p for p in _beginnings(action) if _is_short_for(p, mask)), action)
        covered |= known.mask(pattern)
        kept.append(pattern)
    return tuple(kept)


def _is_short_for(pattern: str, mask: int) -> bool:
    means = catalogue().mask(pattern)
    return means.bit_count() >= FEWEST and means & ~mask == 0


def _beginnings(action: str) -> Iterator[str]:
    """The word-based beginnings of an action name, shortest first, without the whole service (`s3:*`)."""
    prefix, _, name = action.partition(":")
    for place in range(3, len(name)):
        if name[place].isupper() and not name[place - 1].isupper():
            yield f"{prefix}:{name[:place]}*"


def grants_of(parts: Iterable[ServicePart]) -> frozenset[Given]:
    """The grants of parts: actions on resources under conditions."""
    triples: set[Given] = set()
    for part in parts:
        for group in groups_of(part):
            triples.update(product(group.actions, group.arns, (_of(group.whens),)))
    return frozenset(triples)


def _of(whens: Iterable[BuilderCondition]) -> frozenset[tuple[str, str, frozenset[str]]]:
    return frozenset((*when.block_position, frozenset(when.values)) for when in whens)
