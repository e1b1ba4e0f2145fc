"""The texts that make a role in AWS for Gatehouse, ready to copy, for one account that is being connected."""

from __future__ import annotations

import json
from dataclasses import dataclass

from iam.aws.permissions import MANAGEMENT_ACCOUNT_ONLY, READ, WRITE, hub_policy, read_policy, trust_policy
from iam.aws.spoke import Purpose, SpokeRole, cloudformation, terraform

READER, WRITER = "gatehouse-reader", "gatehouse-writer"
NAMES: dict[Purpose, str] = {"read": READER, "write": WRITER}


@dataclass(frozen=True, slots=True)
class RoleTexts:
    """All texts of one role; `actions` counts what its policy allows."""

    purpose: Purpose
    name: str
    arn: str
    trust: str
    permissions: str
    cloudformation: str
    terraform: str
    actions: int


def role_texts(
    purpose: Purpose, *, account_id: str, partition: str, external_id: str, hub_arn: str, role_name: str = ""
) -> RoleTexts:
    """The texts of the reading or the writing role. Raises ValueError for values that cannot stand in a
    policy.
    """
    spoke = SpokeRole(
        account_id=account_id,
        hub_role_arn=hub_arn,
        external_id=external_id,
        partition=partition,
        purpose=purpose,
        role_name=role_name or NAMES[purpose],
    )
    permissions = spoke.permissions
    return RoleTexts(
        purpose=purpose,
        name=spoke.name,
        arn=spoke.arn,
        trust=json.dumps(spoke.trust, indent=2),
        permissions=json.dumps(permissions, indent=2),
        cloudformation=cloudformation(spoke),
        terraform=terraform(spoke),
        actions=sum(len(statement["Action"]) for statement in permissions["Statement"]),
    )


def trust_text(*, hub_arn: str, external_id: str) -> str:
    """The trust policy alone, to compare with what is in AWS."""
    return json.dumps(trust_policy(hub_role_arn=hub_arn, external_id=external_id), indent=2)


def hub_text(role_arns: list[str]) -> str:
    """What the worker's own role needs, to compare with what is in AWS."""
    return json.dumps(hub_policy(spoke_role_arns=role_arns), indent=2)


def own_text(partition: str) -> str:
    """What the worker's own credentials need where they read their own account."""
    return json.dumps(read_policy(partition), indent=2)


def actions_of(section: str) -> tuple[str, ...]:
    """The actions by which a section of the mirror is read, by its name in the policies."""
    return READ.get(section, ())


__all__ = [
    "MANAGEMENT_ACCOUNT_ONLY",
    "NAMES",
    "READER",
    "WRITE",
    "WRITER",
    "RoleTexts",
    "actions_of",
    "hub_text",
    "own_text",
    "role_texts",
    "trust_text",
]
