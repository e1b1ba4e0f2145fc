"""Gatehouse's access to Northline: the hub's user in the management account, and two roles in every
account.
"""

from __future__ import annotations

from typing import Any

from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.organisation.specs import KeySpec, RoleSpec, UserSpec
from iam.aws import permissions

HUB_ACCOUNT = ACCOUNT_IDS["management"]
HUB_USER = "gatehouse"
EXTERNAL_ID = "gh-4e07b81c2d95"
READER_ROLE = "gatehouse-reader"
WRITER_ROLE = "gatehouse-writer"
TAGS = {"Team": "iam", "Owner": "ines.duarte@northline.example", "Service": "gatehouse"}

MEMBER_SECTIONS = tuple(
    section for section in permissions.READ if section not in permissions.MANAGEMENT_ACCOUNT_ONLY
)
# The permissions of the reader role in accounts other than the management account.
READER_POLICY = permissions.read_policy(sections=MEMBER_SECTIONS)


ORGANIZATION_READS = ["organizations:Describe*", "organizations:List*"]
IAM_LISTS = "iam:List*"


def _shortened(policy: dict[str, Any]) -> dict[str, Any]:
    """Shorten a policy, because AWS limits all inline policies of a user to 2,048 characters."""
    statements = []
    for statement in policy["Statement"]:
        short = {name: value for name, value in statement.items() if name != "Sid"}
        if str(short["Action"][0]).startswith("organizations:"):
            short["Action"] = ORGANIZATION_READS
        elif IAM_LISTS[:-1] in str(short["Action"]):
            others = [action for action in short["Action"] if not action.startswith(IAM_LISTS[:-1])]
            short["Action"] = [*others, IAM_LISTS]
        statements.append(short)
    return policy | {"Statement": statements}


# The hub's own key reads the management account and the organization.
HUB_POLICIES = {
    "gatehouse-hub": _shortened(
        permissions.hub_policy(
            spoke_role_arns=[f"arn:aws:iam::*:role/{name}" for name in (READER_ROLE, WRITER_ROLE)]
        )
    ),
    "gatehouse-reader": _shortened(permissions.read_policy()),
}


def hub_user() -> UserSpec:
    """Return the user whose key the workers hold."""
    return UserSpec(
        name=HUB_USER,
        path="/machines/",
        age=64,
        tags=TAGS,
        inline=HUB_POLICIES,
        keys=(KeySpec(age=12, used=0.01, service="sts", region="eu-west-1"),),
    )


def roles(account: str) -> tuple[RoleSpec, RoleSpec]:
    """Return both roles of an account. They trust only the hub's user, with the external ID."""
    hub = f"arn:aws:iam::{HUB_ACCOUNT}:user/machines/{HUB_USER}"
    trust = permissions.trust_policy(hub_role_arn=hub, external_id=EXTERNAL_ID)
    reader = RoleSpec(
        name=READER_ROLE,
        trust=trust,
        age=64,
        used=0.02,
        inline={"mirror": READER_POLICY},
        tags=TAGS,
        description="Gatehouse: sync (read only)",
    )
    writer = RoleSpec(
        name=WRITER_ROLE,
        trust=trust,
        age=64,
        used=1.2,
        inline={"change": permissions.write_policy(account_id=account)},
        tags=TAGS,
        description="Gatehouse: approved changes",
    )
    return reader, writer
