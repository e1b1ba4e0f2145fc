"""Managed policies that an attacker would attach: those that make an administrator, and those with content
that the attacker writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from iam.policy.escalation.method_types import EscalationMethod
from iam.policy.escalation.names import common_name, names_for, template_of
from iam.policy.escalation.states import ADMINISTRATOR_ACCESS
from iam.policy.glob import compile_glob
from iam.policy.index.documents import IndexedStatement, SharedDocuments
from iam.policy.index.shard import AccountShard
from iam.policy.letter_case import fold

AWS_OWNED: Final = (ADMINISTRATOR_ACCESS, "arn:aws:iam::aws:policy/IAMFullAccess")
ATTACHING: Final = ("iam:AttachUserPolicy", "iam:AttachRolePolicy", "iam:AttachGroupPolicy")
POLICY: Final = "iam:policyarn"
TELLING: Final = "iam:putuserpolicy"
"""An action that a sufficient policy allows on all resources."""
MAX_POLICIES: Final = 6


def attachable(
    shard: AccountShard, documents: SharedDocuments, attaching: Iterable[IndexedStatement]
) -> tuple[str, ...]:
    """Return AWS's policies that are sufficient, and those of the account that allow the IAM action on
    everything without conditions.

    Those that conditions of the statements name are all there, and come before the others.
    """
    arns = dict.fromkeys(AWS_OWNED)
    for row in shard.policies.values():
        doc = documents.find(row.digest) if row.digest else None
        if doc is not None and any(
            clause.allows
            and clause.area is None
            and not clause.conditions
            and clause.actions.covers_action(TELLING)
            for clause in doc.clauses
        ):
            arns[row.name] = None
    named = _first_of_each(values_of(attaching, POLICY), arns)
    ordered = dict.fromkeys([*AWS_OWNED, *named, *arns])
    return tuple(ordered)[: max(MAX_POLICIES, len(AWS_OWNED) + len(named))]


def new_policies(
    shard: AccountShard, attaching: Iterable[IndexedStatement], creating: Sequence[IndexedStatement]
) -> tuple[str, ...]:
    """Return ARNs of policies that don't exist yet, could be created, and match the conditions on attachable
    policies.
    """
    values = dict.fromkeys(values_of(attaching, POLICY))
    if not values:
        return ()
    template = template_of(
        "iam:CreatePolicy", "policy", partition=shard.partition, region="", account=shard.number
    )
    names = dict.fromkeys(names_for(creating, template))
    patterns = dict.fromkeys(chain.from_iterable(clause.resources or () for clause in creating))
    for value in values:
        for pattern in patterns:
            name = common_name(template, value, pattern)
            if name is not None:
                names.setdefault(name)
    existing = {row.name for row in shard.policies.values()}
    return tuple(name for name in names if name not in existing)[:MAX_POLICIES]


def changeable_policies(
    shard: AccountShard, attaching: Iterable[IndexedStatement], changing: Iterable[IndexedStatement]
) -> tuple[str, ...]:
    """Return ARNs of the account's own policies that statements name as attachable.

    One for each pattern of the statements that allow changing policies comes before the others.
    """
    matchers = [compile_glob(value) for value in dict.fromkeys(values_of(attaching, POLICY))]
    names = []
    for row in shard.policies.values():
        is_own = row.name.startswith("arn:") and ":iam::aws:" not in row.name
        if is_own and any(matches(row.name) for matches in matchers):
            names.append(row.name)
    patterns = chain.from_iterable(clause.resources or () for clause in changing)
    first = _first_of_each(patterns, names)
    return tuple(dict.fromkeys([*first, *names]))[: max(MAX_POLICIES, len(first))]


def _first_of_each(patterns: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the first name that matches each pattern, without duplicates.

    A cut by number alone would leave out the only policy that a statement allows.
    """
    firsts: dict[str, None] = {}
    for pattern in dict.fromkeys(patterns):
        matches = compile_glob(pattern)
        first = next((name for name in names if matches(name)), None)
        if first is not None:
            firsts[first] = None
    return list(firsts)


def values_of(clauses: Iterable[IndexedStatement], key: str) -> Iterator[str]:
    """Yield the values that conditions name for a context key."""
    for clause in clauses:
        for _, name, values in clause.conditions:
            if fold(name) == key:
                yield from values


def is_attaching(method: EscalationMethod) -> bool:
    """Return True if the method attaches a policy of the caller's choice."""
    return any(need.action in ATTACHING for need in method.needs)
