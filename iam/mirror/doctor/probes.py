"""The smallest harmless call for each action: a list limited to one item, or the name of something that
doesn't exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NOBODY = "gatehouse-doctor-no-such-name"
"""A name that no account has. The answer "no such entity" shows that the call was allowed."""


@dataclass(frozen=True, slots=True)
class PermissionProbe:
    """A call to test. `answers` are the error codes that show that the call was allowed."""

    action: str
    params: Mapping[str, Any] = field(default_factory=dict)
    answers: frozenset[str] = frozenset({"NoSuchEntity"})

    @property
    def service(self) -> str:
        """The service name for botocore."""
        return self.action.partition(":")[0]

    @property
    def operation(self) -> str:
        """The operation name in AWS."""
        return self.action.partition(":")[2]


_ONE: Mapping[str, Any] = {"MaxItems": 1}
_USER: Mapping[str, Any] = {"UserName": NOBODY}
_GROUP: Mapping[str, Any] = {"GroupName": NOBODY}
_ROLE: Mapping[str, Any] = {"RoleName": NOBODY}
_INLINE: Mapping[str, Any] = {"PolicyName": NOBODY}
_REPORT = frozenset({"ReportNotPresent", "ReportExpired", "ReportInProgress"})
_ROOT_ACCESS = frozenset(
    {
        "AccountNotManagementOrDelegatedAdministratorException",
        "OrganizationNotFoundException",
        "OrganizationNotInAllFeaturesModeException",
        "ServiceAccessNotEnabledException",
    }
)
_FEATURE_OFF = frozenset({"FeatureDisabled", "FeatureDisabledException"})
_DRY_RUN = frozenset({"DryRunOperation"})
_ORGANIZATION = frozenset(
    {
        "ParentNotFoundException",
        "PolicyNotFoundException",
        "InvalidInputException",
        "PolicyTypeNotEnabledException",
    }
)

KEY_IN_USE = "iam:GetAccessKeyLastUsed"
"""AWS denies this action for unknown keys, so it can only be tested with a real key of the account."""


def probes(*, account_id: str, partition: str, access_key_id: str = "") -> dict[str, PermissionProbe]:
    """Return the probe of each read action. The one for the last use of a key needs a known key ID."""
    arn = f"arn:{partition}:iam::{account_id}:"
    policy = {"PolicyArn": f"{arn}policy/{NOBODY}"}
    saml = {"SAMLProviderArn": f"{arn}saml-provider/{NOBODY}"}
    oidc = {"OpenIDConnectProviderArn": f"{arn}oidc-provider/{NOBODY}.example"}
    iam: dict[str, Mapping[str, Any]] = {
        "GetAccountAuthorizationDetails": {"MaxItems": 1, "Filter": ["Group"]},
        "ListUsers": _ONE,
        "ListRoles": _ONE,
        "ListVirtualMFADevices": _ONE,
        "ListServiceSpecificCredentials": {"AllUsers": True, "MaxItems": 1},
        "ListInstanceProfiles": _ONE,
        "ListServerCertificates": _ONE,
        "ListSAMLProviders": {},
        "GetSAMLProvider": saml,
        "ListOpenIDConnectProviders": {},
        "GetOpenIDConnectProvider": oidc,
        "GetAccountSummary": {},
        "ListAccountAliases": {},
        "GetAccountPasswordPolicy": {},
        "ListAccessKeys": _USER,
        "ListMFADevices": _USER,
        "ListSSHPublicKeys": _USER,
        "GetSSHPublicKey": {**_USER, "SSHPublicKeyId": "APKAGATEHOUSEDOCTOR00", "Encoding": "SSH"},
        "ListSigningCertificates": _USER,
        "GetLoginProfile": _USER,
        "ListPolicyTags": policy,
        "ListInstanceProfileTags": {"InstanceProfileName": NOBODY},
        "ListSAMLProviderTags": saml,
        "ListOpenIDConnectProviderTags": oidc,
        "ListMFADeviceTags": {"SerialNumber": f"{arn}mfa/{NOBODY}"},
        "ListServerCertificateTags": {"ServerCertificateName": NOBODY},
        "GenerateServiceLastAccessedDetails": {"Arn": f"{arn}user/{NOBODY}"},
        "GetServiceLastAccessedDetails": {"JobId": "00000000-0000-0000-0000-000000000000"},
        "GetUser": _USER,
        "ListGroupsForUser": _USER,
        "ListUserPolicies": _USER,
        "GetUserPolicy": {**_USER, **_INLINE},
        "ListAttachedUserPolicies": _USER,
        "GetGroup": _GROUP,
        "ListGroupPolicies": _GROUP,
        "GetGroupPolicy": {**_GROUP, **_INLINE},
        "ListAttachedGroupPolicies": _GROUP,
        "GetRole": _ROLE,
        "ListRolePolicies": _ROLE,
        "GetRolePolicy": {**_ROLE, **_INLINE},
        "ListAttachedRolePolicies": _ROLE,
        "ListInstanceProfilesForRole": _ROLE,
        "GetPolicy": policy,
        "ListPolicyVersions": policy,
        "GetPolicyVersion": {**policy, "VersionId": "v1"},
        "GetInstanceProfile": {"InstanceProfileName": NOBODY},
        "GetServerCertificate": {"ServerCertificateName": NOBODY},
        "ListDelegationRequests": _ONE,
    }
    probes_by_id = {f"iam:{name}": PermissionProbe(f"iam:{name}", params) for name, params in iam.items()}
    task = {"DeletionTaskId": f"task/aws-service-role/{NOBODY}/{NOBODY}/00000000-0000-0000-0000-000000000000"}
    deletion = "iam:GetServiceLinkedRoleDeletionStatus"
    probes_by_id[deletion] = PermissionProbe(
        deletion, task, answers=frozenset({"NoSuchEntity", "InvalidInput"})
    )
    features = "iam:ListOrganizationsFeatures"
    probes_by_id[features] = PermissionProbe(features, answers=_ROOT_ACCESS)
    federation = "iam:GetOutboundWebIdentityFederationInfo"
    probes_by_id[federation] = PermissionProbe(federation, answers=_FEATURE_OFF)
    for name in ("GenerateCredentialReport", "GetCredentialReport"):
        probes_by_id[f"iam:{name}"] = PermissionProbe(f"iam:{name}", answers=_REPORT)
    if access_key_id:
        probes_by_id[KEY_IN_USE] = PermissionProbe(KEY_IN_USE, {"AccessKeyId": access_key_id})
    return probes_by_id | _organization() | _instances() | _trails() | _workloads()


def _organization() -> dict[str, PermissionProbe]:
    nothing = {"ParentId": "r-zzzz"}
    policy = {"PolicyId": "p-zzzzzzzz"}
    calls: dict[str, Mapping[str, Any]] = {
        "DescribeOrganization": {},
        "ListAccounts": {"MaxResults": 1},
        "ListRoots": {"MaxResults": 1},
        "ListOrganizationalUnitsForParent": nothing,
        "ListAccountsForParent": nothing,
        "ListPolicies": {"Filter": "SERVICE_CONTROL_POLICY", "MaxResults": 1},
        "DescribePolicy": policy,
        "ListTargetsForPolicy": policy,
    }
    return {
        f"organizations:{name}": PermissionProbe(f"organizations:{name}", params, answers=_ORGANIZATION)
        for name, params in calls.items()
    }


def _instances() -> dict[str, PermissionProbe]:
    return {
        f"ec2:{name}": PermissionProbe(f"ec2:{name}", {"DryRun": True}, answers=_DRY_RUN)
        for name in ("DescribeInstances", "DescribeRegions")
    } | {
        # This action has no dry run.
        "ec2:DescribeIamInstanceProfileAssociations": PermissionProbe(
            "ec2:DescribeIamInstanceProfileAssociations", {"MaxResults": 5}, answers=_DRY_RUN
        )
    }


def _trails() -> dict[str, PermissionProbe]:
    """Return probes that name a trail which doesn't exist: those with permission get "not found"."""
    gone = frozenset({"TrailNotFoundException", "InvalidTrailNameException"})
    calls: dict[str, Mapping[str, Any]] = {
        "DescribeTrails": {"includeShadowTrails": False},
        "GetTrailStatus": {"Name": NOBODY},
        "GetEventSelectors": {"TrailName": NOBODY},
        "LookupEvents": {"MaxResults": 1},
        "ListPublicKeys": {},
    }
    return {
        f"cloudtrail:{name}": PermissionProbe(f"cloudtrail:{name}", params, answers=gone)
        for name, params in calls.items()
    }


def _workloads() -> dict[str, PermissionProbe]:
    """Return probes that name a cluster which doesn't exist: those with permission get "not found"."""
    cluster = {"clusterName": NOBODY}
    calls: dict[str, Mapping[str, Any]] = {
        "rolesanywhere:ListProfiles": {"pageSize": 1},
        "rolesanywhere:ListTrustAnchors": {"pageSize": 1},
        "eks:ListClusters": {"maxResults": 1},
        "eks:ListPodIdentityAssociations": cluster,
        "eks:DescribePodIdentityAssociation": {**cluster, "associationId": "a-gatehousedoctor00"},
    }
    gone = frozenset({"ResourceNotFoundException"})
    return {action: PermissionProbe(action, params, answers=gone) for action, params in calls.items()}
