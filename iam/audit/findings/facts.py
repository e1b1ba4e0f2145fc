"""What rules look at: one account as the mirror has it at a moment, in memory."""

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
from iam.audit.assertions.terms import AssertionTerms
from iam.mirror.models import NEVER, Kind
from iam.people.fleet.roots import RootUserFacts
from iam.policy.index.index import PolicyIndex
from iam.policy.request import SERVICE_LINKED_PATH

OWNED_DAYS: Final = 90
"""A role that was used within so many days needs an owner."""
PUBLIC_ADDRESS: Final = "PublicIpAddress"
"""The attribute of an instance that names its public address; empty if it has none."""
RESERVED: Final = "/aws-reserved/"
"""The path of roles that IAM Identity Center makes."""
ContextKeys = tuple[tuple[str, tuple[str, ...]], ...]
"""Context keys of a request with their values."""
NO_VALUES: Final[Mapping[str, Any]] = MappingProxyType({})


class EntityFact(NamedTuple):
    """An entity as it was: `document` is the digest of a role's trust policy, or of the session policy of
    what gives a role to workloads.
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
        """Whether AWS manages the role."""
        return SERVICE_LINKED_PATH in self.arn


class KeyFact(NamedTuple):
    """An active access key by its place in the credential report. `used_at` None: never, as far as AWS
    tells. `key_id` is empty where the key itself was not synced.
    """

    slot: int
    created_at: datetime | None
    used_at: datetime | None
    key_id: str = ""
    entity: int = 0

    @property
    def label(self) -> str:
        """The key id, or which of the two it is."""
        return self.key_id or f"access key {self.slot}"


class CredentialFact(NamedTuple):
    """A user's credentials. `has_password` None: no credential report was synced. `mfa` as UserCredentials
    says it. `keys` are the active ones. `max_sign_in` are the seconds that a sign-in may last, 0 where that
    isn’t set and None where it wasn’t read.
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
    """A policy with its default text. `owner` is the managed policy, or the user, group or role that has it
    inline; `holders` are the numbers of the users, groups and roles that have it.
    """

    owner: EntityFact
    name: str
    digest: str
    holders: tuple[int, ...]
    is_inline: bool

    @property
    def is_aws_managed(self) -> bool:
        """Whether AWS wrote it."""
        return not self.is_inline and self.owner.category == "aws"

    @property
    def cause(self) -> str:
        """What tells it apart from other policies of its owner."""
        return self.name if self.is_inline else ""


class ServicesFact(NamedTuple):
    """When IAM was asked for the last use of a user’s services, and the latest of them; None: none."""

    read_at: datetime
    used_at: datetime | None


class KeyPlace(NamedTuple):
    """An address from which an access key of a user called in the last 90 days; `user` is AWS's unique ID.
    `callers` are the instances of the organization that called from the same address by their roles.
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
    """An assertion that is checked at the moment."""

    key: str
    name: str
    terms: AssertionTerms


@dataclass
class AccountFacts:
    """The account. `usage` is None for a past moment, which has no last use; `administrators` and `openings`
    are None where they were not calculated. `unread` are clauses about what could stop access and was not
    synced; `organization` are the accounts that belong together, None where that is not known.
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
    last_calls: Mapping[str, datetime] | None = None
    """See `iam.audit.findings.recorded_calls`."""
    services: Mapping[int, ServicesFact] = field(default_factory=dict)
    """By user; only where `last_calls` isn’t known."""
    unused_grants: tuple[UnusedGrant, ...] = ()
    """See `iam.access.grants.unused_grants`; of a past moment none."""
    key_places: tuple[KeyPlace, ...] = ()
    """Those that EC2 instances have or called from; of a past moment none."""
    used_paths: Mapping[str, UsedPath] = field(default_factory=dict)
    own_roles: frozenset[str] = frozenset()
    own_users: frozenset[str] = frozenset()
    """The users by whose keys Gatehouse works: their policies are what it asked for, and it refuses to change
    them.
    """
    persons_gone: frozenset[str] = frozenset()
    owned: frozenset[int] = frozenset()
    """Of `needing_owner`, those whose owner is known today."""
    root: RootUserFacts | None = None
    is_root_mfa_virtual: bool = False
    index: PolicyIndex | None = None
    assertions: tuple[AssertionFact, ...] = ()
    moments: dict[int, datetime] = field(default_factory=dict)
    """Filled by `days_ago`."""
    able: dict[tuple[str, str, ContextKeys], dict[int, bool]] = field(default_factory=dict)
    """Who can do an action on a resource in a context, and whether surely: filled by
    `iam.audit.findings.effect`.
    """

    @cached_property
    def by_kind(self) -> dict[str, list[EntityFact]]:
        """The entities of each kind."""
        by_kind: dict[str, list[EntityFact]] = {}
        for entity in self.entities.values():
            by_kind.setdefault(entity.kind, []).append(entity)
        return by_kind

    def of_kind(self, kind: Kind) -> list[EntityFact]:
        """The entities of a kind."""
        return self.by_kind.get(kind.value, [])

    @cached_property
    def root_user(self) -> EntityFact:
        """The account's root user, which is no entity of the mirror."""
        arn = f"arn:{self.partition}:iam::{self.number}:root"
        return EntityFact(0, f"root {self.number}", "root", "Root user", arn)

    @property
    def prefix(self) -> str:
        """What ARNs of IAM in the account begin with."""
        return f"arn:{self.partition}:iam::{self.number}:"

    @property
    def organization_id(self) -> str:
        """The organization of the account; empty where that isn’t known, or there is none."""
        shard = self.index.accounts.get(self.number) if self.index else None
        return shard.standing.organization_id if shard else ""

    @cached_property
    def users(self) -> tuple[tuple[EntityFact, CredentialFact], ...]:
        """The users with their credentials."""
        users = self.of_kind(Kind.USER)
        return tuple((user, self.credentials[user.id]) for user in users if user.id in self.credentials)

    @property
    def managed_users(self) -> Iterator[EntityFact]:
        """The users whose groups and policies someone here looks after: not Gatehouse's own."""
        for user, _ in self.users:
            if user.arn not in self.own_users:
                yield user

    @property
    def roles(self) -> Iterator[EntityFact]:
        """The roles that someone here looks after: neither AWS's own nor Gatehouse's."""
        for role in self.of_kind(Kind.ROLE):
            if not role.is_service_linked and role.arn not in self.own_roles:
                yield role

    @property
    def needing_owner(self) -> Iterator[EntityFact]:
        """The roles that were used lately, and the users with access keys who aren't known to be people.
        Those that IAM Identity Center makes are its own.
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
        """Who has each managed policy attached, of those that are known."""
        holders: dict[int, list[int]] = {}
        for holder, policies in self.attached.items():
            for policy in policies if holder in self.entities else ():
                holders.setdefault(policy, []).append(holder)
        return holders

    @cached_property
    def policies(self) -> tuple[PolicyFact, ...]:
        """Every policy whose text is known: managed ones by their default version, and inline ones. Those of
        Gatehouse's own roles are left out.
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
        """The users and roles among holders, and the users of the groups among them."""
        principals: dict[int, None] = {}
        for holder in holders:
            entity = self.entities.get(holder)
            if entity is not None and entity.kind == Kind.GROUP:
                principals |= dict.fromkeys(self.members.get(holder, ()))
            elif entity is not None:
                principals[holder] = None
        return tuple(principals)

    def arns(self, numbers: tuple[int, ...]) -> tuple[str, ...]:
        """The ARNs of entities, sorted."""
        return tuple(sorted(self.entities[number].arn for number in numbers if number in self.entities))

    def days_ago(self, days: int) -> datetime:
        """So many days before the moment."""
        if days not in self.moments:
            self.moments[days] = self.now - timedelta(days=days)
        return self.moments[days]
