"""Managed policies that someone who can attach policies would choose: those that make an administrator, and
those whose content is theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Final

from iam.policy.escalation.methods import EscalationMethod
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
"""A statement that allows this on everything allows enough."""
MAX_POLICIES: Final = 6


def attachable(shard: AccountShard, documents: SharedDocuments) -> tuple[str, ...]:
    """AWS's own, and those of the account that allow IAM's actions on everything, without conditions."""
    arns = dict.fromkeys(AWS_OWNED)
    for row in shard.policies.values():
        doc = documents.find(row.digest) if row.digest else None
        if doc is not None and any(
            clause.allows
            and clause.area is None
            and not clause.conditions
            and clause.actions.speaks_of(TELLING)
            for clause in doc.clauses
        ):
            arns[row.name] = None
    return tuple(arns)[:MAX_POLICIES]


def new_policies(
    shard: AccountShard, attaching: Iterable[IndexedStatement], creating: Sequence[IndexedStatement]
) -> tuple[str, ...]:
    """ARNs of policies that do not exist yet, could be created, and fit what statements say of the policies
    that can be attached.
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


def changeable_policies(shard: AccountShard, attaching: Iterable[IndexedStatement]) -> tuple[str, ...]:
    """ARNs of the account's own policies that statements name as policies to attach."""
    matchers = [compile_glob(value) for value in dict.fromkeys(values_of(attaching, POLICY))]
    names = []
    for row in shard.policies.values():
        is_own = row.name.startswith("arn:") and ":iam::aws:" not in row.name
        if is_own and any(matches(row.name) for matches in matchers):
            names.append(row.name)
    return tuple(names[:MAX_POLICIES])


def values_of(clauses: Iterable[IndexedStatement], key: str) -> Iterator[str]:
    """What conditions say of a context key."""
    for clause in clauses:
        for _, name, values in clause.conditions:
            if fold(name) == key:
                yield from values


def is_attaching(method: EscalationMethod) -> bool:
    """Whether the method attaches a policy of one's choice."""
    return any(need.action in ATTACHING for need in method.needs)
