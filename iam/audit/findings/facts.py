"""The data that rules examine: one account at a moment, in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from iam.access.escalation_groups import OpeningStatements
from iam.access.escalation_use import UsedPath
from iam.access.grants.unused_grants import UnusedGrant
from iam.activity.key_addresses import CallingInstance
from iam.activity.sources.covered_accounts import CoverageGrade
from iam.audit.assertions.terms import AssertionTerms
from iam.mirror.models import NEVER, Kind
from iam.people.fleet.roots import RootUserFacts
from iam.policy.index.index import PolicyIndex
from iam.policy.request import SERVICE_LINKED_PATH

OWNED_DAYS: Final = 90
"""A role used within this many days needs an owner."""
PUBLIC_ADDRESS: Final = "PublicIpAddress"
"""The attribute of an instance with its public address; "" if it has none."""
RESERVED: Final = "/aws-reserved/"
"""The path of roles that IAM Identity Center creates."""
ContextKeys = tuple[tuple[str, tuple[str, ...]], ...]
"""Context keys of a request with their values."""
NO_VALUES: Final[Mapping[str, Any]] = MappingProxyType({})


class EntityFact(NamedTuple):
    """An entity at the moment.

    `document` is the digest of a role's trust policy, or of the session policy of what gives a role to
    workloads.
    """

    id: int
    aws_id: str
    kind: str
    name: str
    arn: str
    path: str = "/"
    created_at: datetime | None = None
    category: str = ""
    attrs: Mapping[str, Any] = NO_VALUES
    document: str | None = None

    @property
    def is_service_linked(self) -> bool:
        """True if AWS manages the role."""
        return SERVICE_LINKED_PATH in self.arn


class KeyFact(NamedTuple):
    """An active access key by its position in the credential report.

    `used_at` is None if it was never used, as far as AWS knows. `key_id` is "" if the key itself is not
    synced.
    """

    slot: int
    created_at: datetime | None
    used_at: datetime | None
    key_id: str = ""
    entity: int = 0

    @property
    def label(self) -> str:
        """The key id, or its position."""
        return self.key_id or f"access key {self.slot}"


class CredentialFact(NamedTuple):
    """A user's credentials.

    `has_password` is None without a credential report. `mfa` is as in UserCredentials. `keys` are the active
    ones. `max_sign_in` is the maximum sign-in duration in seconds: 0 if not set, None if not synced.
    """

    has_password: bool | None
    password_changed_at: datetime | None
    password_used_at: datetime | None
    mfa: str
    active_keys: int
    oldest_key_at: datetime
    keys: tuple[KeyFact, ...]
    max_sign_in: int | None = None


@dataclass(frozen=True, slots=True)
class PolicyFact:
    """A policy with its default text.

    `owner` is the managed policy, or the user, group or role with the inline policy; `holders` are the
    primary keys of the users, groups and roles that have it.
    """

    owner: EntityFact
    name: str
    digest: str
    holders: tuple[int, ...]
    is_inline: bool

    @property
    def is_aws_managed(self) -> bool:
        """True for an AWS managed policy."""
        return not self.is_inline and self.owner.category == "aws"

    @property
    def cause(self) -> str:
        """The cause of findings, which differs between the policies of an owner."""
        return self.name if self.is_inline else ""


class RecordedCalls(NamedTuple):
    """The last successful call of each of an account's users in the last 90 days, by unique ID."""

    last_at: dict[str, datetime]
    coverage: CoverageGrade

    @property
    def is_complete(self) -> bool:
        """True if a user without a call has certainly called nothing that CloudTrail records."""
        return self.coverage == CoverageGrade.COMPLETE


class ServicesFact(NamedTuple):
    """When IAM's report of a user's last accessed services was read, and their latest use (None if there is
    none).
    """

    read_at: datetime
    used_at: datetime | None


class KeyPlace(NamedTuple):
    """An address from which an access key was used in the last 90 days; `user` is AWS's unique ID.

    `callers` are instances of the organization that called from the same address with their roles.
    """

    user: str
    key: str
    address: str
    calls: int
    first_at: datetime
    last_at: datetime
    callers: frozenset[CallingInstance] = frozenset()


@dataclass(frozen=True, slots=True)
class AssertionFact:
    """An assertion that is active at the moment."""

    key: str
    name: str
    terms: AssertionTerms


@dataclass
class AccountFacts:
    """The facts of an account.

    `usage` is None for a past moment, because last uses have no history. `administrators` and `openings` are
    None if they are not calculated. `unread` are clauses about unsynced data that could block access.
    `known_accounts` are the connected accounts and the listed accounts of their organizations;
    `is_organization_known` is False if the organization's accounts were not synced.
    """

    number: str
    partition: str
    now: datetime
    entities: dict[int, EntityFact]
    members: dict[int, list[int]]
    attached: dict[int, list[int]]
    bounds: dict[int, int]
    profiles: dict[int, list[int]]
    running: dict[int, list[int]]
    inline: dict[int, list[tuple[str, str]]]
    versions: dict[int, list[tuple[str, bool]]]
    defaults: dict[int, str]
    credentials: dict[int, CredentialFact]
    usage: dict[int, datetime] | None
    tags: dict[int, dict[str, str]]
    values: dict[str, Any]
    documents: dict[str, str]
    complete: frozenset[str]
    known_accounts: frozenset[str]
    unread: tuple[str, ...] = ()
    is_organization_known: bool = True
    administrators: Mapping[int, bool] | None = None
    openings: tuple[OpeningStatements, ...] | None = None
    last_calls: RecordedCalls | None = None
    """See `iam.audit.findings.recorded_calls`."""
    services: Mapping[int, ServicesFact] = field(default_factory=dict)
    """By user; used only if `last_calls` may miss events."""
    unused_grants: tuple[UnusedGrant, ...] = ()
    """See `iam.access.grants.unused_grants`; empty for a past moment."""
    key_places: tuple[KeyPlace, ...] = ()
    """Addresses that EC2 instances have or called from; empty for a past moment."""
    used_paths: Mapping[str, UsedPath] = field(default_factory=dict)
    own_roles: frozenset[str] = frozenset()
    own_users: frozenset[str] = frozenset()
    """The users whose keys Gatehouse uses. Gatehouse required their policies and refuses to change them."""
    persons_gone: frozenset[str] = frozenset()
    owned: frozenset[int] = frozenset()
    """Those of `needing_owner` whose owner is known today."""
    root: RootUserFacts | None = None
    is_root_mfa_virtual: bool = False
    index: PolicyIndex | None = None
    assertions: tuple[AssertionFact, ...] = ()
    moments: dict[int, datetime] = field(default_factory=dict)
    """The cache of `days_ago`."""
    able: dict[tuple[str, str, ContextKeys, str | None], dict[int, bool]] = field(default_factory=dict)
    """The cache of `iam.audit.findings.effect`: who can do an action on a resource in a context, with True if
    certain.
    """

    @cached_property
    def by_kind(self) -> dict[str, list[EntityFact]]:
        """The entities by kind."""
        by_kind: dict[str, list[EntityFact]] = {}
        for entity in self.entities.values():
            by_kind.setdefault(entity.kind, []).append(entity)
        return by_kind

    def of_kind(self, kind: Kind) -> list[EntityFact]:
        """The entities of a kind."""
        return self.by_kind.get(kind.value, [])

    @cached_property
    def root_user(self) -> EntityFact:
        """The root user, which is not an entity of the mirror."""
        arn = f"arn:{self.partition}:iam::{self.number}:root"
        return EntityFact(0, f"root {self.number}", "root", "Root user", arn)

    @property
    def prefix(self) -> str:
        """The beginning of IAM ARNs in the account."""
        return f"arn:{self.partition}:iam::{self.number}:"

    @property
    def organization_id(self) -> str:
        """The id of the account's organization; "" if there is none or it is unknown."""
        shard = self.index.accounts.get(self.number) if self.index else None
        return shard.standing.organization_id if shard else ""

    @cached_property
    def users(self) -> tuple[tuple[EntityFact, CredentialFact], ...]:
        """The users with their credentials."""
        users = self.of_kind(Kind.USER)
        return tuple((user, self.credentials[user.id]) for user in users if user.id in self.credentials)

    @property
    def managed_users(self) -> Iterator[EntityFact]:
        """The users whose groups and policies are managed here, without Gatehouse's own."""
        for user, _ in self.users:
            if user.arn not in self.own_users:
                yield user

    @cached_property
    def roles(self) -> tuple[EntityFact, ...]:
        """The roles that are managed here, without those of AWS and Gatehouse."""
        roles = (role for role in self.of_kind(Kind.ROLE) if not role.is_service_linked)
        return tuple(role for role in roles if role.arn not in self.own_roles)

    @property
    def needing_owner(self) -> Iterator[EntityFact]:
        """The recently used roles, and the users with access keys that are not known to be people.

        Roles created by IAM Identity Center are left out.
        """
        since = self.days_ago(OWNED_DAYS)
        usage = self.usage or {}
        for role in self.roles:
            if usage.get(role.id, NEVER) >= since and RESERVED not in role.arn:
                yield role
        for user, credential in self.users:
            if credential.active_keys and not credential.has_password:
                yield user

    @cached_property
    def groups_of(self) -> dict[int, list[int]]:
        """The groups of each user."""
        groups: dict[int, list[int]] = {}
        for group, users in self.members.items():
            for user in users:
                groups.setdefault(user, []).append(group)
        return groups

    @cached_property
    def holders(self) -> dict[int, list[int]]:
        """The holders of each attached managed policy, as far as known."""
        holders: dict[int, list[int]] = {}
        for holder, policies in self.attached.items():
            for policy in policies if holder in self.entities else ():
                holders.setdefault(policy, []).append(holder)
        return holders

    @cached_property
    def policies(self) -> tuple[PolicyFact, ...]:
        """Every policy with a known text: default versions of managed policies, and inline policies.

        Those of Gatehouse's own roles are left out.
        """
        own = {role.id for role in self.of_kind(Kind.ROLE) if role.arn in self.own_roles}
        policies = []
        for policy in self.of_kind(Kind.POLICY):
            digest = self.defaults.get(policy.id)
            holders = self.holders.get(policy.id, [])
            others = tuple(holder for holder in holders if holder not in own)
            if digest is not None and (others or not holders):
                policies.append(PolicyFact(policy, policy.name, digest, others, is_inline=False))
        for holder, pairs in self.inline.items():
            entity = self.entities.get(holder)
            if entity is not None and holder not in own:
                for name, digest in pairs:
                    policies.append(PolicyFact(entity, name, digest, (holder,), is_inline=True))
        return tuple(policies)

    def principals(self, holders: tuple[int, ...]) -> tuple[int, ...]:
        """The users and roles among these holders, and the users of the groups among them."""
        principals: dict[int, None] = {}
        for holder in holders:
            entity = self.entities.get(holder)
            if entity is not None and entity.kind == Kind.GROUP:
                principals |= dict.fromkeys(self.members.get(holder, ()))
            elif entity is not None:
                principals[holder] = None
        return tuple(principals)

    def arns(self, numbers: tuple[int, ...]) -> tuple[str, ...]:
        """The sorted ARNs of these entities."""
        return tuple(sorted(self.entities[number].arn for number in numbers if number in self.entities))

    def days_ago(self, days: int) -> datetime:
        """The time this many days before the moment."""
        if days not in self.moments:
            self.moments[days] = self.now - timedelta(days=days)
        return self.moments[days]
