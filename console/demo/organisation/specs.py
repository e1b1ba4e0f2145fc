"""Data classes that describe an organization, independent of AWS and moto.

Ages are in days, at least one, before the day on which the organization was first seeded. Uses (`used`) are
days before the last start, so that a demonstration looks the same however old its data folder is. None means
never.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]
Tags = dict[str, str]


@dataclass(frozen=True)
class KeySpec:
    """An access key."""

    age: float
    used: float | None = 0.1
    active: bool = True
    service: str = "s3"
    region: str = "eu-west-1"


@dataclass(frozen=True)
class LoginSpec:
    """A console password; `longest` is the maximum sign-in session in seconds, None if it isn’t set."""

    age: float
    used: float | None = 1.0
    changed: float | None = None
    must_reset: bool = False
    longest: int | None = None


@dataclass(frozen=True)
class DeviceSpec:
    """An MFA device: `virtual`, `passkey`, `security-key` or `hardware` (a token with a serial number)."""

    kind: str
    age: float
    label: str = ""
    tags: Tags = field(default_factory=dict)


@dataclass(frozen=True)
class UserCredentialSpec:
    """An SSH key, a signing certificate or a service-specific credential of a user."""

    kind: str
    age: float
    active: bool = True
    service: str = ""
    expires_in: float | None = None


@dataclass(frozen=True)
class UserSpec:
    """An IAM user. `policies` are names of customer policies of the account, or full ARNs."""

    name: str
    path: str
    age: float
    tags: Tags = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    inline: dict[str, Document] = field(default_factory=dict)
    boundary: str | None = None
    login: LoginSpec | None = None
    keys: tuple[KeySpec, ...] = ()
    devices: tuple[DeviceSpec, ...] = ()
    credentials: tuple[UserCredentialSpec, ...] = ()


@dataclass(frozen=True)
class GroupSpec:
    """An IAM group."""

    name: str
    path: str
    age: float
    policies: tuple[str, ...] = ()
    inline: dict[str, Document] = field(default_factory=dict)


@dataclass(frozen=True)
class PolicySpec:
    """A customer managed policy; `versions` are (document, age) from the oldest kept one on."""

    name: str
    versions: tuple[tuple[Document, float], ...]
    path: str = "/"
    description: str = ""
    tags: Tags = field(default_factory=dict)
    first: int = 1
    default: int | None = None


@dataclass(frozen=True)
class RoleSpec:
    """An IAM role. `linked` is the service of a service-linked role. `longest_sign_in` is None if it isn't
    set.
    """

    name: str
    trust: Document
    age: float
    path: str = "/"
    used: float | None = 0.2
    region: str = "eu-west-1"
    policies: tuple[str, ...] = ()
    inline: dict[str, Document] = field(default_factory=dict)
    boundary: str | None = None
    tags: Tags = field(default_factory=dict)
    description: str = ""
    longest_session: int = 3600
    linked: str | None = None
    longest_sign_in: int | None = None


@dataclass(frozen=True)
class ProfileSpec:
    """An instance profile with at most one role."""

    name: str
    role: str | None
    age: float
    path: str = "/"
    tags: Tags = field(default_factory=dict)


@dataclass(frozen=True)
class InstanceSpec:
    """An EC2 instance. `tokens` is `required` if only IMDSv2 is allowed, and `optional` if IMDSv1 is allowed
    too.
    """

    name: str
    type: str
    profile: str | None
    age: float
    tokens: str = "required"
    state: str = "running"
    address: str = "10.20.0.1"
    hops: int = 1
    tags: Tags = field(default_factory=dict)
    public_address: str = ""


@dataclass(frozen=True)
class ProviderSpec:
    """A SAML (`saml`) or OIDC (`oidc`) identity provider. `name` is the name of a SAML provider, or the URL
    of an OIDC provider without its scheme.
    """

    kind: str
    name: str
    age: float
    audiences: tuple[str, ...] = ("sts.amazonaws.com",)
    thumbprints: tuple[str, ...] = ()
    expires_in: float = 900
    tags: Tags = field(default_factory=dict)


@dataclass(frozen=True)
class CertificateSpec:
    """A server certificate that was uploaded to IAM."""

    name: str
    age: float
    expires_in: float
    path: str = "/"
    tags: Tags = field(default_factory=dict)


@dataclass(frozen=True)
class RootSpec:
    """The root user, as the credential report and the account summary show it."""

    used: float | None = None
    mfa: str | None = "hardware"
    keys: tuple[KeySpec, ...] = ()
    password_age: float = 1400


@dataclass(frozen=True)
class TrailSpec:
    """A CloudTrail trail."""

    name: str
    bucket: str
    region: str = "eu-west-1"
    multi_region: bool = True
    validated: bool = True
    key: str | None = None
    log_group: str | None = None
    logging: bool = True
    organisation: bool = False


@dataclass(frozen=True)
class AnchorSpec:
    """A certificate authority that Roles Anywhere trusts."""

    name: str
    age: float
    enabled: bool = True


@dataclass(frozen=True)
class AnywhereSpec:
    """A profile of Roles Anywhere; `policy` limits its sessions."""

    name: str
    roles: tuple[str, ...]
    age: float
    policy: Document | None = None
    enabled: bool = True
    duration: int = 3600
    accepts_session_name: bool = False


@dataclass(frozen=True)
class PodIdentitySpec:
    """The role of a service account of an EKS cluster; `policy` limits its sessions."""

    cluster: str
    namespace: str
    service_account: str
    role: str
    age: float
    policy: Document | None = None
    tags: Tags = field(default_factory=dict)


@dataclass(frozen=True)
class DelegationSpec:
    """A delegation request of a partner. `filed` and `changed` count from the last start, because AWS ends a
    request after seven days.
    """

    requestor: str
    requestor_name: str
    description: str
    policy: Document
    state: str
    filed: float
    changed: float
    owner: str
    approver: str | None = None
    duration: int = 3600
    boundaries: tuple[str, ...] = ()


@dataclass(frozen=True)
class AccountSpec:
    """An AWS account with everything in it."""

    id: str
    name: str
    alias: str
    email: str
    ou: str
    age: float
    root: RootSpec = field(default_factory=RootSpec)
    password_policy: dict[str, Any] | None = None
    users: tuple[UserSpec, ...] = ()
    groups: tuple[GroupSpec, ...] = ()
    policies: tuple[PolicySpec, ...] = ()
    roles: tuple[RoleSpec, ...] = ()
    profiles: tuple[ProfileSpec, ...] = ()
    instances: tuple[InstanceSpec, ...] = ()
    providers: tuple[ProviderSpec, ...] = ()
    certificates: tuple[CertificateSpec, ...] = ()
    trails: tuple[TrailSpec, ...] = ()
    anchors: tuple[AnchorSpec, ...] = ()
    anywhere: tuple[AnywhereSpec, ...] = ()
    pods: tuple[PodIdentitySpec, ...] = ()
    delegations: tuple[DelegationSpec, ...] = ()
    issues_tokens: bool = False


@dataclass(frozen=True)
class PlantedTrouble:
    """Objects that are added to an account so that an audit finds problems."""

    policies: tuple[PolicySpec, ...] = ()
    groups: tuple[GroupSpec, ...] = ()
    users: tuple[UserSpec, ...] = ()
    roles: tuple[RoleSpec, ...] = ()
    profiles: tuple[ProfileSpec, ...] = ()
    instances: tuple[InstanceSpec, ...] = ()
    providers: tuple[ProviderSpec, ...] = ()
    certificates: tuple[CertificateSpec, ...] = ()
    anchors: tuple[AnchorSpec, ...] = ()
    anywhere: tuple[AnywhereSpec, ...] = ()
    pods: tuple[PodIdentitySpec, ...] = ()
    delegations: tuple[DelegationSpec, ...] = ()
    issues_tokens: bool = False
    # (group, policy): policies that are also attached to groups of the account.
    attached: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class OrganisationPolicy:
    """A service control policy (`SERVICE_CONTROL_POLICY`) or a resource control policy."""

    name: str
    type: str
    document: Document
    targets: tuple[str, ...]
    description: str = ""


@dataclass(frozen=True)
class OrganizationSpec:
    """The organization. `units` maps the name of an OU to the name of its parent (`Root` at the top)."""

    id: str
    root_id: str
    management: AccountSpec
    members: tuple[AccountSpec, ...]
    units: dict[str, str]
    policies: tuple[OrganisationPolicy, ...]

    @property
    def accounts(self) -> tuple[AccountSpec, ...]:
        """All accounts, the management account first."""
        return (self.management, *self.members)
