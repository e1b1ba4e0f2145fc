"""The policies and templates that create Gatehouse's roles in AWS, ready to copy, for an account being
connected.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from iam.aws.permissions import MANAGEMENT_ACCOUNT_ONLY, READ, WRITE, hub_policy, read_policy, trust_policy
from iam.aws.spoke import Purpose, SpokeRole, cloudformation, terraform

READER, WRITER = "gatehouse-reader", "gatehouse-writer"
NAMES: dict[Purpose, str] = {"read": READER, "write": WRITER}


@dataclass(frozen=True, slots=True)
class RoleTexts:
    """The texts of a role. `actions` is the number of actions in its policy."""

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
    """Return the texts of the read or write role. Raises ValueError for values that are invalid
    in a policy.
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
    """Return the trust policy alone, to compare with the one in AWS."""
    return json.dumps(trust_policy(hub_role_arn=hub_arn, external_id=external_id), indent=2)


def hub_text(role_arns: list[str]) -> str:
    """Return the policy that the worker's own role needs, to compare with the one in AWS."""
    return json.dumps(hub_policy(spoke_role_arns=role_arns), indent=2)


def own_text(partition: str) -> str:
    """Return the policy that the worker's own credentials need to read their own account."""
    return json.dumps(read_policy(partition), indent=2)


def actions_of(section: str) -> tuple[str, ...]:
    """Return the actions that read a section of the mirror, by its name in the policies."""
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
