"""Converts devices, keys and certificates of users, and the rows of the credential report."""

from __future__ import annotations

from typing import Any

from iam.aws.reads.credential_report import CredentialRow
from iam.aws.records import (
    AccessKeyRecord,
    LoginProfileRecord,
    MfaDeviceRecord,
    ServiceSpecificCredentialRecord,
    SigningCertificateRecord,
    SshKeyRecord,
    VirtualMfaDeviceRecord,
)
from iam.mirror.models import Kind
from iam.mirror.pull.facts import FoundEntity, by_id, by_name
from iam.mirror.pull.usage import LastUse, instant

VIRTUAL = ":mfa/"
"""Part of the serial number of every virtual device, which is an ARN."""
MAX_SIGN_IN = "MaxSigninSessionDuration"
"""The key of the maximum sign-in session duration: null if it is not set, missing if it was never read."""
_SECURITY_KEY = ":u2f/"


def sort_of_device(serial_number: str) -> str:
    """The type of a device by its serial number: `virtual`, `security-key` or `hardware`.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_checking-status.html
    """
    if VIRTUAL in serial_number:
        return "virtual"
    return "security-key" if _SECURITY_KEY in serial_number else "hardware"


def login_profile(record: LoginProfileRecord) -> dict[str, Any]:
    """The facts of a console password."""
    return {
        "CreateDate": instant(record.created_at),
        "PasswordResetRequired": record.is_reset_required,
        MAX_SIGN_IN: record.max_sign_in_duration,
    }


def virtual_device(record: VirtualMfaDeviceRecord) -> FoundEntity:
    """A virtual device and its user. That of the root user has `IsRoot`, an unassigned one has no user."""
    arn = record.user_arn or ""
    owner = by_id(Kind.USER.value, record.user_id) if record.user_id else None
    return FoundEntity(
        kind=Kind.MFA_DEVICE.value,
        aws_id=record.serial_number,
        name=record.serial_number.rpartition("/")[2],
        arn=record.serial_number,
        created_at=record.enabled_at,
        category="virtual",
        attrs={"UserName": record.user_name or "", "IsRoot": arn.endswith(":root")},
        owner=owner,
    )


def own_device(record: MfaDeviceRecord, *, user_id: str) -> FoundEntity:
    """A device from a user's own list, which includes hardware devices and security keys."""
    arn = record.serial_number if record.serial_number.startswith("arn:") else ""
    return FoundEntity(
        kind=Kind.MFA_DEVICE.value,
        aws_id=record.serial_number,
        name=record.serial_number.rpartition("/")[2],
        arn=arn,
        created_at=record.enabled_at,
        category=sort_of_device(record.serial_number),
        attrs={"UserName": record.user_name, "IsRoot": False},
        owner=by_id(Kind.USER.value, user_id),
    )


def service_credential(record: ServiceSpecificCredentialRecord) -> FoundEntity:
    """A service-specific credential."""
    return FoundEntity(
        kind=Kind.SERVICE_CREDENTIAL.value,
        aws_id=record.credential_id,
        name=record.service_user_name or record.credential_id,
        created_at=record.created_at,
        category=record.status,
        attrs={
            "UserName": record.user_name,
            "ServiceName": record.service_name,
            "ExpirationDate": instant(record.expires_at),
        },
        owner=by_name(Kind.USER.value, record.user_name),
    )


def access_key(record: AccessKeyRecord, *, user_id: str) -> FoundEntity:
    """An access key by its ID. AWS never shows its secret again."""
    return FoundEntity(
        kind=Kind.ACCESS_KEY.value,
        aws_id=record.key_id,
        name=record.key_id,
        created_at=record.created_at,
        category=record.status,
        attrs={"UserName": record.user_name},
        owner=by_id(Kind.USER.value, user_id),
    )


def ssh_key(record: SshKeyRecord, *, user_id: str) -> FoundEntity:
    """An SSH public key for CodeCommit."""
    return FoundEntity(
        kind=Kind.SSH_KEY.value,
        aws_id=record.key_id,
        name=record.key_id,
        created_at=record.uploaded_at,
        category=record.status,
        attrs={"UserName": record.user_name},
        owner=by_id(Kind.USER.value, user_id),
    )


def signing_certificate(record: SigningCertificateRecord, *, user_id: str) -> FoundEntity:
    """An X.509 signing certificate."""
    return FoundEntity(
        kind=Kind.SIGNING_CERTIFICATE.value,
        aws_id=record.certificate_id,
        name=record.certificate_id,
        created_at=record.uploaded_at,
        category=record.status,
        attrs={"UserName": record.user_name, "BodyDigest": record.body_digest},
        owner=by_id(Kind.USER.value, user_id),
    )


def report_facts(row: CredentialRow) -> dict[str, Any]:
    """The report's columns under AWS's names, except last uses."""
    facts: dict[str, Any] = {
        "user_creation_time": instant(row.created_at),
        "password_enabled": row.password_enabled,
        "password_last_changed": instant(row.password_last_changed),
        "password_next_rotation": instant(row.password_next_rotation),
        "mfa_active": row.mfa_active,
    }
    for slot, key in enumerate(row.keys, 1):
        facts[f"access_key_{slot}_active"] = key.active
        facts[f"access_key_{slot}_last_rotated"] = instant(key.last_rotated)
    for slot, certificate in enumerate(row.certificates, 1):
        facts[f"cert_{slot}_active"] = certificate.active
        facts[f"cert_{slot}_last_rotated"] = instant(certificate.last_rotated)
    if row.additional_credentials:
        facts["additional_credentials_info"] = row.additional_credentials
    return facts


def report_use(row: CredentialRow) -> LastUse:
    """The last use of a user's password and keys according to the report."""
    use = LastUse(details={"password_last_used": instant(row.password_last_used)})
    use.update(row.password_last_used)
    for slot, key in enumerate(row.keys, 1):
        use.details[f"key_{slot}_last_used"] = instant(key.last_used_at)
        use.update(key.last_used_at, region=key.last_used_region, service=key.last_used_service)
    return use
