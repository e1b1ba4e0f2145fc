"""What AWS says about an entity, in the shape that the mirror takes; documents are decoded, exact text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class InlinePolicyRecord(NamedTuple):
    """A policy that lives inside of one user, group or role."""

    name: str
    document: str


class PolicyVersionRecord(NamedTuple):
    """One of at most five versions of a managed policy."""

    version_id: str
    document: str
    is_default: bool
    created_at: datetime


class LastUsed(NamedTuple):
    """When a role was last used, and in which region; AWS follows this for 400 days."""

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
    """An IAM group. AWS has no tags and no boundary for groups."""

    aws_id: str
    name: str
    path: str
    arn: str
    created_at: datetime
    inline: tuple[InlinePolicyRecord, ...]
    attached: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleRecord:
    """An IAM role. `max_session_duration` (seconds) and `description` are None where the bulk answer was
    read: it does not have them, ListRoles has. `max_sign_in_duration` (seconds) is None also where it is not
    set. `instance_profiles` holds ARNs."""

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
    """A managed policy with all its versions, newest first as AWS lists them. `tags` is None where the
    bulk answer was read: it has none, ListPolicyTags has."""

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
    """What ListUsers adds to the bulk answer: when the password was last used (None: never, or no
    password)."""

    aws_id: str
    name: str
    path: str
    arn: str
    created_at: datetime
    password_last_used: datetime | None


@dataclass(frozen=True, slots=True)
class RoleListing:
    """What ListRoles adds to the bulk answer; durations are in seconds. `max_sign_in_duration` None: not
    set."""

    aws_id: str
    name: str
    arn: str
    max_session_duration: int
    description: str
    max_sign_in_duration: int | None = None


@dataclass(frozen=True, slots=True)
class VirtualMfaDeviceRecord:
    """A virtual MFA device. `user_name` is None for the root user's and for one that nobody has
    (`user_arn` tells)."""

    serial_number: str
    user_name: str | None
    user_arn: str | None
    user_id: str | None
    enabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class MfaDeviceRecord:
    """A device of one user, virtual or hardware."""

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
    """An instance profile; AWS allows one role in it. `roles` holds names."""

    aws_id: str
    name: str
    path: str
    arn: str
    created_at: datetime
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServerCertificateRecord:
    """A TLS certificate kept in IAM."""

    aws_id: str
    name: str
    path: str
    arn: str
    uploaded_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class ServerCertificateNow(ServerCertificateRecord):
    """A server certificate as it is read alone: with its text, that of its chain ("" without one), and tags.
    AWS never gives the private key.
    """

    body: str
    chain: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SamlProviderRecord:
    """A SAML provider with its metadata document; `metadata_digest` is the SHA-256 (hex) of that."""

    arn: str
    name: str
    created_at: datetime | None
    valid_until: datetime | None
    metadata: str
    metadata_digest: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OidcProviderRecord:
    """An OIDC provider; `url` without a scheme, as AWS returns it."""

    arn: str
    url: str
    client_ids: tuple[str, ...]
    thumbprints: tuple[str, ...]
    created_at: datetime | None
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PasswordPolicyRecord:
    """The account's password policy; ages in days, None where no limit is set."""

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
    """Who the credentials belong to."""

    account_id: str
    arn: str
    user_id: str


@dataclass(frozen=True, slots=True)
class AccessKeyRecord:
    """A long-lived access key of a user; `status` is "Active", "Inactive" or "Expired"."""

    key_id: str
    user_name: str
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AccessKeyUse:
    """The last use of an access key; all None when AWS has not seen it used."""

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
    """An X.509 signing certificate of a user; `body_digest` is the SHA-256 (hex) of its PEM text."""

    certificate_id: str
    user_name: str
    status: str
    uploaded_at: datetime | None
    body_digest: str


@dataclass(frozen=True, slots=True)
class LoginProfileRecord:
    """That a user has a console password, whether it must be changed at the next sign-in, and how many
    seconds a sign-in may last (None: not set)."""

    user_name: str
    created_at: datetime
    is_reset_required: bool
    max_sign_in_duration: int | None = None
