"""Resources that AWS or an AWS service owns, which no one in the account can change, whatever policies allow.

Sources: "Managed policies and inline policies" (AWS managed policies), "Create a service-linked role",
"Referencing permission sets in resource policies" (roles under aws-reserved), "Aliases in AWS KMS" (names
that begin with aws/).
"""

from __future__ import annotations

from typing import Final

POLICY_CHANGES: Final = frozenset(
    {
        "iam:createpolicy",
        "iam:createpolicyversion",
        "iam:deletepolicy",
        "iam:deletepolicyversion",
        "iam:setdefaultpolicyversion",
        "iam:tagpolicy",
        "iam:untagpolicy",
    }
)
ROLE_CHANGES: Final = frozenset(
    {
        "iam:attachrolepolicy",
        "iam:createrole",
        "iam:deleterole",
        "iam:deleterolepermissionsboundary",
        "iam:deleterolepolicy",
        "iam:detachrolepolicy",
        "iam:putrolepermissionsboundary",
        "iam:putrolepolicy",
        "iam:updateassumerolepolicy",
        "iam:updaterole",
    }
)
RESERVED_ROLE_CHANGES: Final = ROLE_CHANGES | {"iam:tagrole", "iam:untagrole", "iam:updateroledescription"}
ALIAS_CHANGES: Final = frozenset({"kms:createalias", "kms:deletealias", "kms:updatealias"})
CHANGES: Final = POLICY_CHANGES | RESERVED_ROLE_CHANGES | ALIAS_CHANGES
"""Actions, in lower case, that fail on resources that AWS owns."""
OWNERS: Final = (
    (POLICY_CHANGES, ":iam::aws:policy/", "AWS owns this policy, so no one in the account can change it."),
    (
        ROLE_CHANGES,
        ":role/aws-service-role/",
        "An AWS service owns this role (a service-linked role), so no one in the account can change it.",
    ),
    (
        RESERVED_ROLE_CHANGES,
        ":role/aws-reserved/",
        "AWS owns this role (IAM Identity Center manages it), so no one in the account can change it.",
    ),
    (ALIAS_CHANGES, ":alias/aws/", "AWS owns this alias, so no one in the account can change it."),
)


def owner_reason(lowered: str, resource: str) -> str:
    """Return why an action (in lower case) can't be done on a resource that AWS owns, or an empty string if
    AWS doesn't own the resource.
    """
    if lowered not in CHANGES:
        return ""
    for actions, part, reason in OWNERS:
        if lowered in actions and part in resource and resource.startswith("arn:"):
            return reason
    return ""
