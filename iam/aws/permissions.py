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

_USER = (
    "iam:GetUser",
    "iam:ListGroupsForUser",
    "iam:ListUserPolicies",
    "iam:GetUserPolicy",
    "iam:ListAttachedUserPolicies",
)
_GROUP = ("iam:GetGroup", "iam:ListGroupPolicies", "iam:GetGroupPolicy", "iam:ListAttachedGroupPolicies")
_ROLE = (
    "iam:GetRole",
    "iam:ListRolePolicies",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListInstanceProfilesForRole",
)
_POLICY = ("iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions")
"""What it takes to look at one user, group, role or policy, and to read it back whole."""

WRITE: dict[str, tuple[str, ...]] = {
    "group-membership": ("iam:AddUserToGroup", "iam:RemoveUserFromGroup"),
    "policy-version": (
        "iam:CreatePolicyVersion",
        "iam:DeletePolicyVersion",
        "iam:SetDefaultPolicyVersion",
    ),
    "user": ("iam:CreateUser", "iam:UpdateUser", "iam:DeleteUser"),
    "user-boundary": ("iam:PutUserPermissionsBoundary", "iam:DeleteUserPermissionsBoundary"),
    "user-tags": ("iam:TagUser", "iam:UntagUser"),
    "group": ("iam:CreateGroup", "iam:UpdateGroup", "iam:DeleteGroup"),
    "role": ("iam:CreateRole", "iam:UpdateRole", "iam:DeleteRole"),
    "role-trust": ("iam:UpdateAssumeRolePolicy",),
    "role-boundary": ("iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary"),
    "role-tags": ("iam:TagRole", "iam:UntagRole"),
    "role-sessions": ("iam:PutRolePolicy", "iam:DeleteRolePolicy"),
    "service-linked-role": ("iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole"),
    "instance-profile": (
        "iam:CreateInstanceProfile",
        "iam:DeleteInstanceProfile",
        "iam:AddRoleToInstanceProfile",
        "iam:RemoveRoleFromInstanceProfile",
    ),
    "instance-profile-association": (
        "ec2:AssociateIamInstanceProfile",
        "ec2:ReplaceIamInstanceProfileAssociation",
        "ec2:DisassociateIamInstanceProfile",
    ),
    "pass-role": ("iam:PassRole",),
    "instance-profile-tags": ("iam:TagInstanceProfile", "iam:UntagInstanceProfile"),
    "policy-tags": ("iam:TagPolicy", "iam:UntagPolicy"),
    "mfa-device-tags": ("iam:TagMFADevice", "iam:UntagMFADevice"),
    "server-certificate-tags": ("iam:TagServerCertificate", "iam:UntagServerCertificate"),
    "saml-provider-tags": ("iam:TagSAMLProvider", "iam:UntagSAMLProvider"),
    "oidc-provider-tags": ("iam:TagOpenIDConnectProvider", "iam:UntagOpenIDConnectProvider"),
    "managed-policy": (
        "iam:CreatePolicy",
        "iam:DeletePolicy",
        "iam:CreatePolicyVersion",
        "iam:DeletePolicyVersion",
    ),
    "user-attachment": ("iam:AttachUserPolicy", "iam:DetachUserPolicy"),
    "group-attachment": ("iam:AttachGroupPolicy", "iam:DetachGroupPolicy"),
    "role-attachment": ("iam:AttachRolePolicy", "iam:DetachRolePolicy"),
    "user-inline": ("iam:PutUserPolicy", "iam:DeleteUserPolicy"),
    "group-inline": ("iam:PutGroupPolicy", "iam:DeleteGroupPolicy"),
    "role-inline": ("iam:PutRolePolicy", "iam:DeleteRolePolicy"),
    "password-policy": ("iam:UpdateAccountPasswordPolicy", "iam:DeleteAccountPasswordPolicy"),
    "account-alias": ("iam:CreateAccountAlias", "iam:DeleteAccountAlias"),
    "saml-provider": ("iam:CreateSAMLProvider", "iam:UpdateSAMLProvider", "iam:DeleteSAMLProvider"),
    "oidc-provider": (
        "iam:CreateOpenIDConnectProvider",
        "iam:DeleteOpenIDConnectProvider",
        "iam:AddClientIDToOpenIDConnectProvider",
        "iam:RemoveClientIDFromOpenIDConnectProvider",
        "iam:UpdateOpenIDConnectProviderThumbprint",
    ),
    "server-certificate": (
        "iam:UploadServerCertificate",
        "iam:UpdateServerCertificate",
        "iam:DeleteServerCertificate",
    ),
    "login-profile": ("iam:CreateLoginProfile", "iam:UpdateLoginProfile", "iam:DeleteLoginProfile"),
    "access-key": ("iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:DeleteAccessKey"),
    "mfa-device": ("iam:EnableMFADevice", "iam:ResyncMFADevice", "iam:DeactivateMFADevice"),
    "virtual-mfa-device": ("iam:DeleteVirtualMFADevice",),
    "ssh-key": ("iam:UploadSSHPublicKey", "iam:UpdateSSHPublicKey", "iam:DeleteSSHPublicKey"),
    "signing-certificate": (
        "iam:UploadSigningCertificate",
        "iam:UpdateSigningCertificate",
        "iam:DeleteSigningCertificate",
    ),
    "service-credential": (
        "iam:CreateServiceSpecificCredential",
        "iam:ResetServiceSpecificCredential",
        "iam:UpdateServiceSpecificCredential",
        "iam:DeleteServiceSpecificCredential",
    ),
}
"""Family of operations → the actions that it writes with."""

WRITTEN: dict[str, str] = {
    "group-membership": "group",
    "policy-version": "policy",
    "user": "user",
    "user-boundary": "user",
    "user-tags": "user",
    "group": "group",
    "role": "role",
    "role-trust": "role",
    "role-boundary": "role",
    "role-tags": "role",
    "role-sessions": "role",
    "service-linked-role": "role",
    "instance-profile": "instance-profile",
    "instance-profile-association": "instance",
    "pass-role": "role",
    "instance-profile-tags": "instance-profile",
    "policy-tags": "policy",
    "mfa-device-tags": "mfa",
    "server-certificate-tags": "server-certificate",
    "saml-provider-tags": "saml-provider",
    "oidc-provider-tags": "oidc-provider",
    "managed-policy": "policy",
    "user-attachment": "user",
    "group-attachment": "group",
    "role-attachment": "role",
    "user-inline": "user",
    "group-inline": "group",
    "role-inline": "role",
    "password-policy": "account",
    "account-alias": "account",
    "saml-provider": "saml-provider",
    "oidc-provider": "oidc-provider",
    "server-certificate": "server-certificate",
    "login-profile": "user",
    "access-key": "user",
    "mfa-device": "user",
    "virtual-mfa-device": "mfa",
    "ssh-key": "user",
    "signing-certificate": "user",
    "service-credential": "user",
}
"""Family of operations → the kind of resource on which AWS authorizes what it writes, one of RESOURCES (see the service authorization reference)."""

OBSERVE: dict[str, tuple[str, ...]] = {
    "group-membership": (*_USER, *_GROUP),
    "policy-version": _POLICY,
    "user": _USER,
    "user-boundary": _USER,
    "user-tags": _USER,
    "group": _GROUP,
    "role": _ROLE,
    "role-trust": _ROLE,
    "role-boundary": _ROLE,
    "role-tags": _ROLE,
    "role-sessions": _ROLE,
    "service-linked-role": (*_ROLE, "iam:ListRoles", "iam:GetServiceLinkedRoleDeletionStatus"),
    "instance-profile": ("iam:GetInstanceProfile",),
    "instance-profile-association": (
        "ec2:DescribeInstances",
        "ec2:DescribeIamInstanceProfileAssociations",
        "iam:GetInstanceProfile",
    ),
    "pass-role": (),
    "instance-profile-tags": ("iam:GetInstanceProfile",),
    "policy-tags": ("iam:GetPolicy",),
    "mfa-device-tags": ("iam:ListMFADeviceTags",),
    "server-certificate-tags": ("iam:GetServerCertificate",),
    "saml-provider-tags": ("iam:GetSAMLProvider",),
    "oidc-provider-tags": ("iam:GetOpenIDConnectProvider",),
    "managed-policy": _POLICY,
    "user-attachment": (*_USER, *_POLICY),
    "group-attachment": (*_GROUP, *_POLICY),
    "role-attachment": (*_ROLE, *_POLICY),
    "user-inline": _USER,
    "group-inline": _GROUP,
    "role-inline": _ROLE,
    "password-policy": ("iam:GetAccountPasswordPolicy",),
    "account-alias": ("iam:ListAccountAliases",),
    "saml-provider": ("iam:GetSAMLProvider",),
    "oidc-provider": ("iam:GetOpenIDConnectProvider",),
    "server-certificate": ("iam:GetServerCertificate", "iam:ListServerCertificates"),
    "login-profile": ("iam:GetUser", "iam:GetLoginProfile"),
    "access-key": ("iam:GetUser", "iam:ListAccessKeys"),
    "mfa-device": ("iam:GetUser", "iam:ListMFADevices", "iam:ListMFADeviceTags"),
    "virtual-mfa-device": ("iam:ListMFADeviceTags",),
    "ssh-key": ("iam:GetUser", "iam:ListSSHPublicKeys", "iam:GetSSHPublicKey"),
    "signing-certificate": ("iam:GetUser", "iam:ListSigningCertificates"),
    "service-credential": ("iam:GetUser", "iam:ListServiceSpecificCredentials"),
}
"""Family of operations → the actions by which the runner sees live whether a write is needed and has come true."""

RESOURCES: dict[str, str] = {
    "user": "iam::{account}:user{path}*",
    "group": "iam::{account}:group{path}*",
    "role": "iam::{account}:role{path}*",
    "policy": "iam::{account}:policy{path}*",
    "instance-profile": "iam::{account}:instance-profile{path}*",
    "mfa": "iam::{account}:mfa{path}*",
    "server-certificate": "iam::{account}:server-certificate{path}*",
    "saml-provider": "iam::{account}:saml-provider{path}*",
    "oidc-provider": "iam::{account}:oidc-provider{path}*",
    "instance": "ec2:*:{account}:instance/*",
    "account": "*",
}
"""Kind of resource → the pattern of its ARNs after the partition; "*" alone for what AWS authorizes on no resource."""

OWN_ROLES = "gatehouse-"
"""How the names of Gatehouse's own roles begin, unless their owner chose others."""

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
    user_paths: Sequence[str] = ("/",),
    role_paths: Sequence[str] = ("/",),
    own_roles: Iterable[str] = (),
) -> Policy:
    """The policy of the separate role that carries out changes, on what lies under the paths only.

    AddUserToGroup is authorized on the group, CreatePolicyVersion on the policy and PutRolePolicy on the role, so the paths bound what it
    can raise: keep the groups, policies and roles of administrators on a path that is not named here. AWS managed policies are never
    among them, and `own_roles` (ARNs) and all whose names begin as Gatehouse's own do are denied to it.
    """
    global_region(partition)
    check_account_id(account_id)
    chosen = list(WRITE) if families is None else list(families)
    paths = {"group": group_paths, "policy": policy_paths, "user": user_paths, "role": role_paths}
    statements: list[dict[str, Any]] = []
    for kind in dict.fromkeys(WRITTEN[family] for family in chosen):
        actions = {action for family in chosen if WRITTEN[family] == kind for action in WRITE[family]}
        resources = [
            resource_arn(partition, account_id, kind=kind, path=path) for path in paths.get(kind, ("/",))
        ]
        statements.append(_allowing(f"Change{_sid(kind)}", actions, resources))
    observing = {action for family in chosen for action in OBSERVE[family]}
    statements.append(_allowing("Observe", observing, "*"))
    on_roles = {action for family in chosen if WRITTEN[family] == "role" for action in WRITE[family]}
    if on_roles:
        own = f"{resource_arn(partition, account_id, kind='role')[:-1]}{OWN_ROLES}*"
        never = _allowing("NeverItself", on_roles, sorted({own, *own_roles}))
        statements.append(never | {"Effect": "Deny"})
    return {"Version": "2012-10-17", "Statement": statements}


def _allowing(sid: str, actions: Iterable[str], resources: list[str] | str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resources}


def _sid(kind: str) -> str:
    return "".join(word.title() for word in kind.split("-"))


def resource_arn(partition: str, account_id: str, *, kind: str, path: str = "/") -> str:
    """The pattern of all resources of a kind of an account, under a path where it has paths. Raises ValueError for what is no path."""
    if not _PATH.fullmatch(path) or "*" in path or "$" in path:
        raise ValueError(f"A path begins and ends with a slash and has no wildcard: {path!r}.")
    pattern = RESOURCES[kind]
    return pattern if pattern == "*" else f"arn:{partition}:{pattern.format(account=account_id, path=path)}"


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
