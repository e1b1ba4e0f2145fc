"""Data that AWS returns about an entity, in the shape that the mirror stores. Policy documents are decoded to
their exact text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class InlinePolicyRecord(NamedTuple):
    """An inline policy of a user, group or role."""

    name: str
    document: str


class PolicyVersionRecord(NamedTuple):
    """A version of a managed policy. A policy has at most five."""

    version_id: str
    document: str
    is_default: bool
    created_at: datetime


class LastUsed(NamedTuple):
    """When and in which region a role was last used. AWS tracks this for 400 days."""

    at: datetime
    region: str | None


@dataclass(frozen=True, slots=True)
class UserRecord:
    """An IAM user. `groups` and `attached` are sorted; `groups` holds names, `attached` policy ARNs."""

    aws_id: str
    name: str
    path: str
    arn: str
    created_at: datetime
    tags: Mapping[str, str]
    groups: tuple[str, ...]
    inline: tuple[InlinePolicyRecord, ...]
    attached: tuple[str, ...]
    boundary: str | None


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """An IAM group. Groups have no tags and no permissions boundary."""

    aws_id: str
    name: str
    path: str
    arn: str
    created_at: datetime
    inline: tuple[InlinePolicyRecord, ...]
    attached: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleRecord:
    """An IAM role. `instance_profiles` holds ARNs.

    `max_session_duration` (seconds) and `description` are None if the role comes from
    GetAccountAuthorizationDetails, which lacks them; ListRoles has them. `max_sign_in_duration` (seconds) is
    also None if it is not set.
    """

    aws_id: str
    name: str
    path: str
    arn: str
    created_at: datetime
    tags: Mapping[str, str]
    inline: tuple[InlinePolicyRecord, ...]
    attached: tuple[str, ...]
    boundary: str | None
    trust: str
    instance_profiles: tuple[str, ...]
    last_used_at: datetime | None
    last_used_region: str | None
    max_session_duration: int | None = None
    description: str | None = None
    max_sign_in_duration: int | None = None


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """A managed policy with all its versions, in the order of AWS (newest first). `tags` is None if the
    policy comes from GetAccountAuthorizationDetails, which lacks them; ListPolicyTags has them.
    """

    aws_id: str
    name: str
    path: str
    arn: str
    created_at: datetime
    updated_at: datetime
    description: str
    versions: tuple[PolicyVersionRecord, ...]
    default_version_id: str
    attachment_count: int
    boundary_count: int
    is_attachable: bool
    is_aws_managed: bool
    tags: Mapping[str, str] | None = None


Record = UserRecord | GroupRecord | RoleRecord | PolicyRecord


@dataclass(frozen=True, slots=True)
class UserListing:
    """The fields that ListUsers adds to GetAccountAuthorizationDetails. `password_last_used` is None if the
    password was never used or there is none.
    """

    aws_id: str
    name: str
    path: str
    arn: str
    created_at: datetime
    password_last_used: datetime | None


@dataclass(frozen=True, slots=True)
class RoleListing:
    """The fields that ListRoles adds to GetAccountAuthorizationDetails. Durations are in seconds;
    `max_sign_in_duration` is None if it is not set.
    """

    aws_id: str
    name: str
    arn: str
    max_session_duration: int
    description: str
    max_sign_in_duration: int | None = None


@dataclass(frozen=True, slots=True)
class VirtualMfaDeviceRecord:
    """A virtual MFA device. `user_name` is None for the root user's device and for an unassigned one;
    `user_arn` tells them apart.
    """

    serial_number: str
    user_name: str | None
    user_arn: str | None
    user_id: str | None
    enabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class MfaDeviceRecord:
    """An MFA device of a user, virtual or hardware."""

    serial_number: str
    user_name: str
    enabled_at: datetime


@dataclass(frozen=True, slots=True)
class ServiceSpecificCredentialRecord:
    """A user's credential for one service (CodeCommit, Keyspaces, Bedrock)."""

    credential_id: str
    user_name: str
    service_name: str
    service_user_name: str
    status: str
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class InstanceProfileRecord:
    """An instance profile. `roles` holds names; AWS allows one role in a profile."""

    aws_id: str
    name: str
    path: str
    arn: str
    created_at: datetime
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServerCertificateRecord:
    """A TLS certificate stored in IAM."""

    aws_id: str
    name: str
    path: str
    arn: str
    uploaded_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class ServerCertificateNow(ServerCertificateRecord):
    """A server certificate from GetServerCertificate, with its text, its chain ("" if it has none) and tags.
    AWS never returns the private key.
    """

    body: str
    chain: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SamlProviderRecord:
    """A SAML provider with its metadata document. `metadata_digest` is the SHA-256 of the document in hex."""

    arn: str
    name: str
    created_at: datetime | None
    valid_until: datetime | None
    metadata: str
    metadata_digest: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OidcProviderRecord:
    """An OIDC provider. `url` has no scheme, as in the answer of AWS."""

    arn: str
    url: str
    client_ids: tuple[str, ...]
    thumbprints: tuple[str, ...]
    created_at: datetime | None
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PasswordPolicyRecord:
    """The account's password policy. Ages are in days, None for no limit."""

    minimum_length: int
    requires_symbols: bool
    requires_numbers: bool
    requires_uppercase: bool
    requires_lowercase: bool
    allows_change: bool
    expires: bool
    maximum_age: int | None
    reuse_prevention: int | None
    hard_expiry: bool


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """The identity that the credentials belong to."""

    account_id: str
    arn: str
    user_id: str


@dataclass(frozen=True, slots=True)
class AccessKeyRecord:
    """A long-lived access key of a user. `status` is "Active", "Inactive" or "Expired"."""

    key_id: str
    user_name: str
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AccessKeyUse:
    """The last use of an access key. All fields are None if AWS has recorded no use."""

    at: datetime | None
    service: str | None
    region: str | None


@dataclass(frozen=True, slots=True)
class SshKeyRecord:
    """An SSH public key of a user, for CodeCommit."""

    key_id: str
    user_name: str
    status: str
    uploaded_at: datetime | None


@dataclass(frozen=True, slots=True)
class SigningCertificateRecord:
    """An X.509 signing certificate of a user. `body_digest` is the SHA-256 of its PEM text in hex."""

    certificate_id: str
    user_name: str
    status: str
    uploaded_at: datetime | None
    body_digest: str


@dataclass(frozen=True, slots=True)
class LoginProfileRecord:
    """A user's console password: whether it must be changed at the next sign-in, and the maximum duration of
    a sign-in in seconds (None if it is not set).
    """

    user_name: str
    created_at: datetime
    is_reset_required: bool
    max_sign_in_duration: int | None = None
