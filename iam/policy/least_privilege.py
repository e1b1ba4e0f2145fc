"""Builds the smallest policy that still allows the recorded use.

Each resulting statement is a part of an existing one: fewer actions, narrower resources, the same conditions.
So it never allows more than before. Denies are kept, and so are actions that CloudTrail doesn't record.
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
"""If an action was used on more resources than this, the statement's own resources are kept."""
SEVERAL_TYPES: Final = frozenset({"s3", "dynamodb"})
"""Services whose requests concern one resource, although their actions list several resource types."""
Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A policy with its name. `is_fixed` means that the policy is kept as it is, such as one of a group, and
    that calls it allows need no other policy.
    """

    name: str
    text: str
    is_fixed: bool = False


@dataclass(frozen=True, slots=True)
class StatementReduction:
    """The result for one statement: the actions that were used, and the actions kept because no event would
    record them.
    """

    policy: str
    statement: str
    used: tuple[str, ...] = ()
    unrecorded: tuple[str, ...] = ()
    is_unchanged: bool = False
    is_deny: bool = False

    @property
    def is_removed(self) -> bool:
        """True if nothing of the statement is kept."""
        return not (self.used or self.unrecorded or self.is_unchanged)


@dataclass(frozen=True, slots=True)
class ReducedPolicy:
    """One document that replaces all policies that aren't fixed. `text` is empty if nothing is left."""

    text: str
    statements: tuple[StatementReduction, ...]


@dataclass(slots=True)
class _Part:
    """A statement and the calls that need it."""

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
    """Combine the policies that aren't fixed into one that allows the calls. `calls` are allowed requests;
    the resource `*` means that it wasn't recorded. `recorded_services` are the services whose data events the
    trail records. Raises ValueError for a document that can't be parsed.
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
    """Return the policy with these statements, or an empty string if there are none."""
    document = {"Version": CURRENT, "Statement": _with_own_sids(statements)}
    return json.dumps(document, indent=2, ensure_ascii=False) if statements else ""


def without_services(policies: Sequence[PolicyText], unused: frozenset[str]) -> ReducedPolicy:
    """Combine the policies that aren't fixed into one, without their permissions in unused services (by
    prefix). Actions that are never recorded are kept, and so are statements for all services or with
    NotAction. Raises ValueError for a document that can't be parsed.
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
    """Return True if an action, or a pattern of actions, is kept."""
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
    """Return the statements that a call needs: the first that certainly allows it, or else all that might.
    Fixed policies come first.
    """
    speaking = [part for part in parts if part.compiled.allows and part.compiled.covers_action(call.lowered)]
    speaking.sort(key=lambda part: not part.policy.is_fixed)
    marks = [(part, part.compiled.applies(call)) for part in speaking]
    for part, mark in marks:
        if mark == YES and _tells_resource(call):
            return [part]
    if _tells_resource(call):
        return [part for part, mark in marks if mark != NO]
    return speaking


def _tells_resource(call: Request) -> bool:
    """Return True if a call concerns one known resource, or no resource."""
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
    """Return the action's names as policies write them. If IAM lists no such action, the event's name differs
    from the permission's, and all actions of the service in the statement are kept.
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
    """Return the resources on which an action was used, generalized. Empty means that the statement's own
    resources are kept.
    """
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
    """Return True if a request for the action concerns one resource, which the event names."""
    types = catalogue().resource_types(action)
    return len(types) == 1 or (bool(types) and action.partition(":")[0] in SEVERAL_TYPES)


def _within(patterns: Sequence[str], resource: str) -> Iterator[str]:
    """Yield, for each pattern that matches the resource, the generalized resource if the pattern covers it,
    or else the pattern.
    """
    wider = generalized(resource)
    for pattern in patterns:
        if "${" in pattern:
            yield pattern
        elif pattern == "*" or text_matcher(pattern)(resource):
            yield wider if _takes_in(pattern, wider) else pattern


def generalized(resource: str) -> str:
    """Generalize a used resource: an object to all objects of its bucket, a log stream to all log streams of
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
    """Return True if a pattern certainly matches everything that another pattern matches."""
    if pattern in ("*", wider):
        return True
    if _is_exact(wider):
        return text_matcher(pattern)(wider)
    if pattern.endswith("*") and _is_exact(pattern[:-1]):
        return wider.partition("*")[0].startswith(pattern[:-1])
    return False


def _statement(raw: Raw, actions: Sequence[str], resources: Sequence[str]) -> Raw:
    """Return a copy of a statement with these actions and, if given, these resources."""
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
    """Return the statements with each Sid only once, because parts of one statement would share it."""
    seen: set[str] = set()
    made: list[Raw] = []
    for statement in statements:
        sid = statement.get("Sid")
        is_taken = sid in seen
        made.append({key: value for key, value in statement.items() if key != "Sid" or not is_taken})
        if sid:
            seen.add(sid)
    return made
