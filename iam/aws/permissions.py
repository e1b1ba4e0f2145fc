"""Which actions each part of Gatehouse needs in an account, and the least-privilege policies made of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from iam.aws.partitions import global_region

Policy = dict[str, Any]

READ: dict[str, tuple[str, ...]] = {
    "authorization": ("iam:GetAccountAuthorizationDetails",),
    "users": ("iam:ListUsers",),
    "roles": ("iam:ListRoles",),
    "credential-report": ("iam:GenerateCredentialReport", "iam:GetCredentialReport"),
    "virtual-mfa-devices": ("iam:ListVirtualMFADevices",),
    "service-credentials": ("iam:ListServiceSpecificCredentials",),
    "instance-profiles": ("iam:ListInstanceProfiles",),
    "server-certificates": ("iam:ListServerCertificates",),
    "saml-providers": ("iam:ListSAMLProviders", "iam:GetSAMLProvider"),
    "oidc-providers": ("iam:ListOpenIDConnectProviders", "iam:GetOpenIDConnectProvider"),
    "account": ("iam:GetAccountSummary", "iam:ListAccountAliases", "iam:GetAccountPasswordPolicy"),
    "access-keys": ("iam:ListAccessKeys", "iam:GetAccessKeyLastUsed"),
    "mfa-devices": ("iam:ListMFADevices",),
    "ssh-keys": ("iam:ListSSHPublicKeys",),
    "signing-certificates": ("iam:ListSigningCertificates",),
    "login-profiles": ("iam:GetLoginProfile",),
    "tags": (
        "iam:ListPolicyTags",
        "iam:ListInstanceProfileTags",
        "iam:ListSAMLProviderTags",
        "iam:ListOpenIDConnectProviderTags",
        "iam:ListMFADeviceTags",
        "iam:ListServerCertificateTags",
    ),
    "re-read": (
        "iam:GetUser",
        "iam:ListGroupsForUser",
        "iam:ListUserPolicies",
        "iam:GetUserPolicy",
        "iam:ListAttachedUserPolicies",
        "iam:GetGroup",
        "iam:ListGroupPolicies",
        "iam:GetGroupPolicy",
        "iam:ListAttachedGroupPolicies",
        "iam:GetRole",
        "iam:ListRolePolicies",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListInstanceProfilesForRole",
        "iam:GetPolicy",
        "iam:ListPolicyVersions",
        "iam:GetPolicyVersion",
    ),
    "organization": (
        "organizations:DescribeOrganization",
        "organizations:ListAccounts",
        "organizations:ListRoots",
        "organizations:ListOrganizationalUnitsForParent",
        "organizations:ListAccountsForParent",
        "organizations:ListPolicies",
        "organizations:DescribePolicy",
        "organizations:ListTargetsForPolicy",
    ),
    "instances": (
        "ec2:DescribeInstances",
        "ec2:DescribeIamInstanceProfileAssociations",
        "ec2:DescribeRegions",
    ),
}
"""Section of the mirror → the actions that reading it takes. None of them returns a secret."""

WRITE: dict[str, tuple[str, ...]] = {
    "group-membership": ("iam:AddUserToGroup", "iam:RemoveUserFromGroup"),
    "policy-version": (
        "iam:CreatePolicyVersion",
        "iam:DeletePolicyVersion",
        "iam:SetDefaultPolicyVersion",
    ),
}
"""Family of operations → the actions that it writes with."""

WRITTEN: dict[str, str] = {"group-membership": "group", "policy-version": "policy"}
"""Family of operations → the kind of resource on which AWS authorizes what it writes (see the service authorization reference)."""

OBSERVE: dict[str, tuple[str, ...]] = {
    "group-membership": (
        "iam:GetUser",
        "iam:GetGroup",
        "iam:ListGroupsForUser",
        "iam:ListUserPolicies",
        "iam:GetUserPolicy",
        "iam:ListAttachedUserPolicies",
        "iam:ListGroupPolicies",
        "iam:GetGroupPolicy",
        "iam:ListAttachedGroupPolicies",
    ),
    "policy-version": ("iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions"),
}
"""Family of operations → the actions by which the runner sees live whether a write is needed and has come true."""

MANAGEMENT_ACCOUNT_ONLY = ("organization",)
"""Sections that only the organization's management account, or a delegated administrator, can read."""

_PATH = re.compile(r"/(?:[\x21-\x7e]+/)?")
_ACCOUNT_ID = re.compile(r"[0-9]{12}")


def check_account_id(account_id: str) -> None:
    """Raise ValueError for what is not twelve digits."""
    if not _ACCOUNT_ID.fullmatch(account_id):
        raise ValueError(f"An account id has twelve digits, not {account_id!r}.")


def read_actions(sections: Iterable[str] | None = None) -> tuple[str, ...]:
    """All actions of the sections (of all, by default), each once, in order."""
    chosen = READ if sections is None else list(sections)
    return tuple(dict.fromkeys(action for section in chosen for action in READ[section]))


def section_of(action: str) -> str | None:
    """The first section that needs an action, or None."""
    return next((section for section, actions in READ.items() if action in actions), None)


def read_policy(partition: str = "aws", *, sections: Iterable[str] | None = None) -> Policy:
    """The policy of the read-only role.

    Resources are "*": most of these actions know no narrower one, and the mirror reads the whole account by
    purpose.
    """
    global_region(partition)
    statements = []
    for service, sid in (("iam", "ReadIam"), ("organizations", "ReadOrganization"), ("ec2", "ReadInstances")):
        actions = sorted(action for action in read_actions(sections) if action.startswith(f"{service}:"))
        if actions:
            statements.append({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": "*"})
    return {"Version": "2012-10-17", "Statement": statements}


def write_policy(
    partition: str = "aws",
    *,
    account_id: str,
    families: Iterable[str] | None = None,
    group_paths: Sequence[str] = ("/",),
    policy_paths: Sequence[str] = ("/",),
) -> Policy:
    """The policy of the separate role that carries out changes, on the groups and customer managed policies under the paths only.

    AddUserToGroup is authorized on the group and CreatePolicyVersion on the policy, so the paths bound what it can raise: keep
    the groups and the policies of administrators on a path that is not named here. AWS managed policies are never among them.
    """
    global_region(partition)
    check_account_id(account_id)
    chosen = list(WRITE) if families is None else list(families)
    statements = []
    for family in chosen:
        name = "".join(word.title() for word in family.split("-"))
        kind = WRITTEN[family]
        paths = group_paths if kind == "group" else policy_paths
        resources = [resource_arn(partition, account_id, kind=kind, path=path) for path in paths]
        statements += [
            {
                "Sid": f"Change{name}",
                "Effect": "Allow",
                "Action": sorted(WRITE[family]),
                "Resource": resources,
            },
            {"Sid": f"Observe{name}", "Effect": "Allow", "Action": sorted(OBSERVE[family]), "Resource": "*"},
        ]
    return {"Version": "2012-10-17", "Statement": statements}


def resource_arn(partition: str, account_id: str, *, kind: str, path: str = "/") -> str:
    """The pattern of all groups, or customer managed policies, of an account under a path. Raises ValueError for what is no path."""
    if not _PATH.fullmatch(path) or "*" in path or "$" in path:
        raise ValueError(f"A path begins and ends with a slash and has no wildcard: {path!r}.")
    return f"arn:{partition}:iam::{account_id}:{kind}{path}*"


def trust_policy(*, hub_role_arn: str, external_id: str) -> Policy:
    """Who may assume the spoke role: the hub's role, and only when it names this account's external id."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "GatehouseHub",
                "Effect": "Allow",
                "Principal": {"AWS": hub_role_arn},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
            }
        ],
    }


def hub_policy(*, spoke_role_arns: Iterable[str]) -> Policy:
    """What the hub's role itself needs: to assume the spokes, and nothing else."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AssumeSpokes",
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Resource": sorted(spoke_role_arns),
            }
        ],
    }
