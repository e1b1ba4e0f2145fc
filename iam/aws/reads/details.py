"""What AWS tells per entity only: keys, devices, certificates, tags, and targeted re-reads after a change."""

from __future__ import annotations

import hashlib

from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads.entities import (
    get_group,
    get_policy,
    get_role,
    get_user,
    group_members,
    groups_for_user,
)
from iam.aws.reads.lists import tag_dictionary
from iam.aws.reads.pages import members, one
from iam.aws.records import (
    AccessKeyRecord,
    AccessKeyUse,
    LoginProfileRecord,
    MfaDeviceRecord,
    SigningCertificateRecord,
    SshKeyRecord,
)
from iam.aws.session import Aws

__all__ = [
    "access_key_last_used",
    "access_keys",
    "get_group",
    "get_policy",
    "get_role",
    "get_user",
    "group_members",
    "groups_for_user",
    "instance_profile_tags",
    "login_profile",
    "mfa_device_tags",
    "mfa_devices",
    "oidc_provider_tags",
    "policy_tags",
    "saml_provider_tags",
    "server_certificate_tags",
    "signing_certificates",
    "ssh_keys",
]


def access_keys(aws: Aws, *, user_name: str) -> tuple[AccessKeyRecord, ...]:
    """The access keys of a user (at most two)."""
    return tuple(
        AccessKeyRecord(
            key_id=key["AccessKeyId"],
            user_name=key["UserName"],
            status=key["Status"],
            created_at=key["CreateDate"],
        )
        for key in members(aws, operation="ListAccessKeys", key="AccessKeyMetadata", UserName=user_name)
    )


def access_key_last_used(aws: Aws, *, key_id: str) -> AccessKeyUse:
    """When, where and for which service a key was last used.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html
    """
    used = one(aws, operation="GetAccessKeyLastUsed", AccessKeyId=key_id).get("AccessKeyLastUsed", {})
    return AccessKeyUse(
        at=used.get("LastUsedDate"),
        service=_unless_na(used.get("ServiceName")),
        region=_unless_na(used.get("Region")),
    )


def mfa_devices(aws: Aws, *, user_name: str) -> tuple[MfaDeviceRecord, ...]:
    """The MFA devices of a user, hardware ones and security keys included."""
    return tuple(
        MfaDeviceRecord(
            serial_number=device["SerialNumber"],
            user_name=device["UserName"],
            enabled_at=device["EnableDate"],
        )
        for device in members(aws, operation="ListMFADevices", key="MFADevices", UserName=user_name)
    )


def ssh_keys(aws: Aws, *, user_name: str) -> tuple[SshKeyRecord, ...]:
    """The SSH public keys of a user."""
    return tuple(
        SshKeyRecord(
            key_id=key["SSHPublicKeyId"],
            user_name=key["UserName"],
            status=key["Status"],
            uploaded_at=key.get("UploadDate"),
        )
        for key in members(aws, operation="ListSSHPublicKeys", key="SSHPublicKeys", UserName=user_name)
    )


def signing_certificates(aws: Aws, *, user_name: str) -> tuple[SigningCertificateRecord, ...]:
    """The X.509 signing certificates of a user."""
    return tuple(
        SigningCertificateRecord(
            certificate_id=certificate["CertificateId"],
            user_name=certificate["UserName"],
            status=certificate["Status"],
            uploaded_at=certificate.get("UploadDate"),
            body_digest=hashlib.sha256(certificate.get("CertificateBody", "").encode()).hexdigest(),
        )
        for certificate in members(
            aws, operation="ListSigningCertificates", key="Certificates", UserName=user_name
        )
    )


def login_profile(aws: Aws, *, user_name: str) -> LoginProfileRecord | None:
    """The console password's facts, or None when the user has none."""
    try:
        profile = one(aws, operation="GetLoginProfile", UserName=user_name)["LoginProfile"]
    except AwsError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return None
        raise
    return LoginProfileRecord(
        user_name=profile["UserName"],
        created_at=profile["CreateDate"],
        is_reset_required=profile.get("PasswordResetRequired", False),
    )


def policy_tags(aws: Aws, *, policy_arn: str) -> dict[str, str]:
    """The tags of a customer managed policy."""
    return tag_dictionary(members(aws, operation="ListPolicyTags", key="Tags", PolicyArn=policy_arn))


def instance_profile_tags(aws: Aws, *, name: str) -> dict[str, str]:
    """The tags of an instance profile."""
    return tag_dictionary(
        members(aws, operation="ListInstanceProfileTags", key="Tags", InstanceProfileName=name)
    )


def saml_provider_tags(aws: Aws, *, arn: str) -> dict[str, str]:
    """The tags of a SAML provider."""
    return tag_dictionary(members(aws, operation="ListSAMLProviderTags", key="Tags", SAMLProviderArn=arn))


def oidc_provider_tags(aws: Aws, *, arn: str) -> dict[str, str]:
    """The tags of an OIDC provider."""
    found = members(aws, operation="ListOpenIDConnectProviderTags", key="Tags", OpenIDConnectProviderArn=arn)
    return tag_dictionary(found)


def mfa_device_tags(aws: Aws, *, serial_number: str) -> dict[str, str]:
    """The tags of a virtual MFA device."""
    return tag_dictionary(members(aws, operation="ListMFADeviceTags", key="Tags", SerialNumber=serial_number))


def server_certificate_tags(aws: Aws, *, name: str) -> dict[str, str]:
    """The tags of a server certificate."""
    return tag_dictionary(
        members(aws, operation="ListServerCertificateTags", key="Tags", ServerCertificateName=name)
    )


def _unless_na(value: str | None) -> str | None:
    return None if value in (None, "", "N/A") else value
