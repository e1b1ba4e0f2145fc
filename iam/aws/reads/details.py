"""Data that AWS returns only per entity: keys, devices, certificates, tags, and reads of single entities
after a change.
"""

from __future__ import annotations

import hashlib
from operator import itemgetter
from typing import Any

from iam.aws.calls import build_all
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads.entities import (
    get_group,
    get_policy,
    get_role,
    get_user,
    group_members,
    groups_for_user,
)
from iam.aws.reads.lists import service_credential
from iam.aws.reads.pages import read_all, read_one
from iam.aws.records import (
    AccessKeyRecord,
    AccessKeyUse,
    LoginProfileRecord,
    MfaDeviceRecord,
    ServiceSpecificCredentialRecord,
    SigningCertificateRecord,
    SshKeyRecord,
)
from iam.aws.session import Aws

__all__ = [
    "access_key_last_used",
    "access_keys",
    "certificate_texts",
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
    "service_credentials",
    "signing_certificates",
    "ssh_key_text",
    "ssh_keys",
]


def access_keys(aws: Aws, *, user_name: str) -> tuple[AccessKeyRecord, ...]:
    """Return the access keys of a user (at most two)."""
    return read_all(aws, "ListAccessKeys", key="AccessKeyMetadata", build=_access_key, UserName=user_name)


def access_key_last_used(aws: Aws, *, key_id: str) -> AccessKeyUse:
    """Return the time, region and service of the last use of a key.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html
    """
    used = read_one(aws, "GetAccessKeyLastUsed", key="AccessKeyLastUsed", AccessKeyId=key_id)
    return AccessKeyUse(
        at=used.get("LastUsedDate"),
        service=_unless_na(used.get("ServiceName")),
        region=_unless_na(used.get("Region")),
    )


def mfa_devices(aws: Aws, *, user_name: str) -> tuple[MfaDeviceRecord, ...]:
    """Return the MFA devices of a user, including hardware devices and security keys."""
    return read_all(aws, "ListMFADevices", key="MFADevices", build=_mfa_device, UserName=user_name)


def ssh_keys(aws: Aws, *, user_name: str) -> tuple[SshKeyRecord, ...]:
    return read_all(aws, "ListSSHPublicKeys", key="SSHPublicKeys", build=_ssh_key, UserName=user_name)


def ssh_key_text(aws: Aws, *, user_name: str, key_id: str) -> str:
    """Return the text of an SSH public key in the OpenSSH format."""
    key = read_one(
        aws, "GetSSHPublicKey", key="SSHPublicKey", UserName=user_name, SSHPublicKeyId=key_id, Encoding="SSH"
    )
    return str(key["SSHPublicKeyBody"])


def certificate_texts(aws: Aws, *, user_name: str) -> dict[str, str]:
    """Return the PEM texts of a user's signing certificates by id."""
    build = itemgetter("CertificateId", "CertificateBody")
    return dict(read_all(aws, "ListSigningCertificates", key="Certificates", build=build, UserName=user_name))


def signing_certificates(aws: Aws, *, user_name: str) -> tuple[SigningCertificateRecord, ...]:
    """Return the X.509 signing certificates of a user."""
    return read_all(
        aws, "ListSigningCertificates", key="Certificates", build=_certificate, UserName=user_name
    )


def service_credentials(aws: Aws, *, user_name: str) -> tuple[ServiceSpecificCredentialRecord, ...]:
    return read_all(
        aws,
        "ListServiceSpecificCredentials",
        key="ServiceSpecificCredentials",
        build=service_credential,
        UserName=user_name,
    )


def login_profile(aws: Aws, *, user_name: str) -> LoginProfileRecord | None:
    """Return the properties of a user's console password, or None if the user has none."""
    try:
        profile = read_one(aws, "GetLoginProfile", key="LoginProfile", UserName=user_name)
    except AwsError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return None
        raise
    return build_all([profile], _login_profile, action="iam:GetLoginProfile")[0]


def policy_tags(aws: Aws, *, policy_arn: str) -> dict[str, str]:
    """Return the tags of a customer managed policy."""
    return _tags(aws, "ListPolicyTags", PolicyArn=policy_arn)


def instance_profile_tags(aws: Aws, *, name: str) -> dict[str, str]:
    return _tags(aws, "ListInstanceProfileTags", InstanceProfileName=name)


def saml_provider_tags(aws: Aws, *, arn: str) -> dict[str, str]:
    return _tags(aws, "ListSAMLProviderTags", SAMLProviderArn=arn)


def oidc_provider_tags(aws: Aws, *, arn: str) -> dict[str, str]:
    return _tags(aws, "ListOpenIDConnectProviderTags", OpenIDConnectProviderArn=arn)


def mfa_device_tags(aws: Aws, *, serial_number: str) -> dict[str, str]:
    """Return the tags of a virtual MFA device."""
    return _tags(aws, "ListMFADeviceTags", SerialNumber=serial_number)


def server_certificate_tags(aws: Aws, *, name: str) -> dict[str, str]:
    return _tags(aws, "ListServerCertificateTags", ServerCertificateName=name)


def _tags(aws: Aws, operation: str, **parameters: str) -> dict[str, str]:
    return dict(read_all(aws, operation, key="Tags", build=itemgetter("Key", "Value"), **parameters))


def _access_key(key: dict[str, Any]) -> AccessKeyRecord:
    return AccessKeyRecord(
        key_id=key["AccessKeyId"],
        user_name=key["UserName"],
        status=key["Status"],
        created_at=key["CreateDate"],
    )


def _mfa_device(device: dict[str, Any]) -> MfaDeviceRecord:
    return MfaDeviceRecord(
        serial_number=device["SerialNumber"], user_name=device["UserName"], enabled_at=device["EnableDate"]
    )


def _ssh_key(key: dict[str, Any]) -> SshKeyRecord:
    return SshKeyRecord(
        key_id=key["SSHPublicKeyId"],
        user_name=key["UserName"],
        status=key["Status"],
        uploaded_at=key.get("UploadDate"),
    )


def _certificate(certificate: dict[str, Any]) -> SigningCertificateRecord:
    return SigningCertificateRecord(
        certificate_id=certificate["CertificateId"],
        user_name=certificate["UserName"],
        status=certificate["Status"],
        uploaded_at=certificate.get("UploadDate"),
        body_digest=hashlib.sha256(certificate.get("CertificateBody", "").encode()).hexdigest(),
    )


def _login_profile(profile: dict[str, Any]) -> LoginProfileRecord:
    return LoginProfileRecord(
        user_name=profile["UserName"],
        created_at=profile["CreateDate"],
        is_reset_required=profile.get("PasswordResetRequired", False),
        max_sign_in_duration=profile.get("MaxSigninSessionDuration"),
    )


def _unless_na(value: str | None) -> str | None:
    return None if value in (None, "", "N/A") else value
