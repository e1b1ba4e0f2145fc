"""Managed policies that whoever may attach policies would choose: those that make an administrator."""

from __future__ import annotations

from typing import Final

from iam.policy.escalation.methods import Method
from iam.policy.escalation.states import ADMINISTRATOR_ACCESS
from iam.policy.index.documents import Documents
from iam.policy.index.shard import Shard

AWS_OWNED: Final = (ADMINISTRATOR_ACCESS, "arn:aws:iam::aws:policy/IAMFullAccess")
ATTACHING: Final = frozenset({"iam:AttachUserPolicy", "iam:AttachRolePolicy", "iam:AttachGroupPolicy"})
TELLING: Final = "iam:putuserpolicy"
"""A statement that allows this on everything allows enough."""
MOST: Final = 6


def attachable(shard: Shard, documents: Documents) -> tuple[str, ...]:
    """AWS's own, and those of the account that allow IAM's actions on everything, without conditions."""
    found = dict.fromkeys(AWS_OWNED)
    for row in shard.policies.values():
        doc = documents.known(row.digest) if row.digest else None
        if doc is not None and any(
            clause.allows
            and clause.area is None
            and not clause.source.conditions
            and clause.actions.speaks_of(TELLING)
            for clause in doc.clauses
        ):
            found[row.name] = None
    return tuple(found)[:MOST]


def is_attaching(method: Method) -> bool:
    """Whether the method attaches a policy of one's choice."""
    return any(need.action in ATTACHING for need in method.needs)
