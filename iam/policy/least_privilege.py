"""The smallest policy that still allows what was used.

Each statement of the result is a part of one that is there: fewer actions, narrower resources, the same
conditions. So nothing is allowed that was not before. Denies stay as they are, and so does what the records
of CloudTrail can't tell.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Final

from iam.policy.arns import text_matcher
from iam.policy.catalogue import catalogue
from iam.policy.compiled import CompiledStatement, PolicyKind, compile_set
from iam.policy.document import CURRENT, read
from iam.policy.letter_case import fold
from iam.policy.logic import NO, YES
from iam.policy.request import Request
from iam.policy.unrecorded_actions import never_recorded_actions, unrecorded_of

MOST_RESOURCES: Final = 20
"""Where an action was used on more than so many resources, those of the statement stay."""
SEVERAL_TYPES: Final = frozenset({"s3", "dynamodb"})
"""Services whose actions are asked about one resource, though their pages name several types."""
Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A policy by name. `is_fixed`: it stays as it is, such as one of a group, and counts for what it
    allows.
    """

    name: str
    text: str
    is_fixed: bool = False


@dataclass(frozen=True, slots=True)
class StatementReduction:
    """What becomes of one statement: the actions that were used, and those that stay since no event would
    tell of them. `is_unchanged`: it stays as it is.
    """

    policy: str
    statement: str
    used: tuple[str, ...] = ()
    unrecorded: tuple[str, ...] = ()
    is_unchanged: bool = False
    is_deny: bool = False

    @property
    def is_removed(self) -> bool:
        """Whether nothing of it stays."""
        return not (self.used or self.unrecorded or self.is_unchanged)


@dataclass(frozen=True, slots=True)
class ReducedPolicy:
    """One document for all policies that are not fixed; `text` is empty if nothing stays."""

    text: str
    statements: tuple[StatementReduction, ...]


@dataclass(slots=True)
class _Part:
    """A statement with the calls that need it."""

    policy: PolicyText
    raw: Raw
    compiled: CompiledStatement
    calls: list[Request] = field(default_factory=list)


def reduce_policies(
    policies: Sequence[PolicyText],
    calls: Iterable[Request],
    *,
    recorded_services: frozenset[str] = frozenset(),
) -> ReducedPolicy:
    """The policies that are not fixed, as one. `calls` are allowed requests; a resource of `*` is one that is
    not recorded. `recorded_services` are those whose data events the trail records. Raises ValueError for a
    document that can't be read.
    """
    parts = list(chain.from_iterable(map(_parts, policies)))
    for call in calls:
        for part in _needed_by(call, parts):
            part.calls.append(call)
    statements: list[Raw] = []
    reductions: list[StatementReduction] = []
    for part in parts:
        if not part.policy.is_fixed:
            made, reduction = _reduced(part, recorded_services)
            statements += made
            reductions.append(reduction)
    return ReducedPolicy(_text_of(statements), tuple(reductions))


def _text_of(statements: Sequence[Raw]) -> str:
    """The policy of these statements; "" for none."""
    document = {"Version": CURRENT, "Statement": _with_own_sids(statements)}
    return json.dumps(document, indent=2, ensure_ascii=False) if statements else ""


def without_services(policies: Sequence[PolicyText], unused: frozenset[str]) -> ReducedPolicy:
    """The policies that are not fixed, as one, without what they allow in services (by prefix) that were not
    used. Actions that no record tells of stay, and so do statements for all services or with NotAction.
    Raises ValueError for a document that can't be read.
    """
    statements: list[Raw] = []
    reductions: list[StatementReduction] = []
    for part in chain.from_iterable(map(_parts, policies)):
        if part.policy.is_fixed:
            continue
        source = part.compiled.source
        used = tuple(name for name in source.actions if _is_service_kept(name, unused))
        reduction = StatementReduction(part.policy.name, part.compiled.name, used)
        is_deny = not part.compiled.allows
        is_open = source.is_not_action or source.problems or part.compiled.unknown
        if is_deny or is_open or used == tuple(source.actions):
            reduction = replace(reduction, used=(), is_unchanged=True, is_deny=is_deny)
            statements.append(part.raw)
        elif used:
            statements.append(_statement(part.raw, used, ()))
        reductions.append(reduction)
    return ReducedPolicy(_text_of(statements), tuple(reductions))


def _is_service_kept(name: str, unused: frozenset[str]) -> bool:
    """Whether an action, or a pattern of actions, stays."""
    if fold(name).partition(":")[0] not in unused:
        return True
    actions = catalogue().expand(name)
    return bool(actions) and never_recorded_actions().issuperset(actions)


def _parts(policy: PolicyText) -> Iterator[_Part]:
    document = read(policy.text)
    if document.problems or document.version != CURRENT:
        raise ValueError(f"{policy.name} can’t be reduced: it isn’t a readable policy of Version {CURRENT}")
    raw = json.loads(policy.text)["Statement"]
    listed = raw if isinstance(raw, list) else [raw]
    compiled = compile_set([(policy.name, document)], kind=PolicyKind.IDENTITY).statements
    for statement in compiled:
        yield _Part(policy, listed[statement.source.index], statement)


def _needed_by(call: Request, parts: Sequence[_Part]) -> list[_Part]:
    """The statements that a call needs: the first that allows it for sure, else all that may; those that stay
    in any case come first.
    """
    speaking = [part for part in parts if part.compiled.allows and part.compiled.speaks_of(call.lowered)]
    speaking.sort(key=lambda part: not part.policy.is_fixed)
    marks = [(part, part.compiled.applies(call)) for part in speaking]
    for part, mark in marks:
        if mark == YES and _tells_resource(call):
            return [part]
    if _tells_resource(call):
        return [part for part, mark in marks if mark != NO]
    return speaking


def _tells_resource(call: Request) -> bool:
    """Whether a call is about one known resource, or about none."""
    return _is_exact(call.resource) or not catalogue().resource_types(call.action)


def _is_exact(resource: str) -> bool:
    return "*" not in resource and "?" not in resource


def _reduced(part: _Part, recorded: frozenset[str]) -> tuple[list[Raw], StatementReduction]:
    compiled = part.compiled
    policy = part.policy.name
    if not compiled.allows or compiled.unknown or compiled.source.problems:
        is_deny = not compiled.allows
        return [part.raw], StatementReduction(policy, compiled.name, is_unchanged=True, is_deny=is_deny)
    used = tuple(sorted({call.action for call in part.calls}))
    actions_by_resources: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for action in used:
        actions_by_resources[_resources(part, action)] += _names_of(compiled, action)
    unrecorded = tuple(unrecorded_of(compiled, recorded))
    if unrecorded:
        actions_by_resources[()] += unrecorded
    statements = []
    for resources, actions in sorted(actions_by_resources.items()):
        statements.append(_statement(part.raw, actions, resources))
    return statements, StatementReduction(policy, compiled.name, used, unrecorded)


def _names_of(compiled: CompiledStatement, action: str) -> list[str]:
    """An action as policies write it. Where IAM lists none of this name, the event's name is another than
    that of the permission, and all that the statement says of the service stays.
    """
    known = catalogue().action(action)
    if known is not None:
        return [known.name]
    service = action.partition(":")[0]
    source = compiled.source
    if source.is_not_action or "*" in source.actions:
        return [f"{service}:*"] if not source.is_not_action else [action]
    return [name for name in source.actions if fold(name).startswith((f"{fold(service)}:", "*"))]


def _resources(part: _Part, action: str) -> tuple[str, ...]:
    """The resources on which an action was used, generalized; empty: those of the statement stay."""
    source = part.compiled.source
    if source.resources is None or source.is_not_resource or not _is_about_one(action):
        return ()
    narrowed: dict[str, None] = {}
    for call in part.calls:
        if call.action == action:
            if not _is_exact(call.resource):
                return ()
            narrowed.update(dict.fromkeys(_within(source.resources, call.resource)))
    names = sorted(narrowed)
    is_narrower = 0 < len(names) <= MOST_RESOURCES and set(names) != set(source.resources)
    return tuple(names) if is_narrower else ()


def _is_about_one(action: str) -> bool:
    """Whether a request for the action is about one resource, which the event names."""
    types = catalogue().resource_types(action)
    return len(types) == 1 or (bool(types) and action.partition(":")[0] in SEVERAL_TYPES)


def _within(patterns: Sequence[str], resource: str) -> Iterator[str]:
    """A resource generalized, as far as the patterns of the statement take all of that in; else the
    patterns.
    """
    wider = generalized(resource)
    for pattern in patterns:
        if "${" in pattern:
            yield pattern
        elif pattern == "*" or text_matcher(pattern)(resource):
            yield wider if _takes_in(pattern, wider) else pattern


def generalized(resource: str) -> str:
    """What a resource that was used stands for: an object for those of its bucket, a log stream for those of
    its group.
    """
    parts = resource.split(":", 5)
    if len(parts) < 6:
        return resource
    service, name = parts[2], parts[5]
    if service == "s3" and not parts[4] and "/" in name:
        name = f"{name.partition('/')[0]}/*"
    elif service == "logs" and ":log-stream:" in name:
        name = f"{name.partition(':log-stream:')[0]}:*"
    return ":".join((*parts[:5], name))


def _takes_in(pattern: str, wider: str) -> bool:
    """Whether a pattern surely matches all that another matches."""
    if pattern in ("*", wider):
        return True
    if _is_exact(wider):
        return text_matcher(pattern)(wider)
    if pattern.endswith("*") and _is_exact(pattern[:-1]):
        return wider.partition("*")[0].startswith(pattern[:-1])
    return False


def _statement(raw: Raw, actions: Sequence[str], resources: Sequence[str]) -> Raw:
    """A part of a statement; without resources, with those that it has."""
    names = sorted(dict.fromkeys(actions))
    made: Raw = {}
    for key, value in raw.items():
        if key in ("Action", "NotAction"):
            made["Action"] = names
        elif key == "Resource" and resources:
            made["Resource"] = list(resources)
        else:
            made[key] = value
    return made


def _with_own_sids(statements: Iterable[Raw]) -> list[Raw]:
    """The statements, a Sid only once: the parts of one would have the same."""
    seen: set[str] = set()
    made: list[Raw] = []
    for statement in statements:
        sid = statement.get("Sid")
        is_taken = sid in seen
        made.append({key: value for key, value in statement.items() if key != "Sid" or not is_taken})
        if sid:
            seen.add(sid)
    return made
