"""What the index is made of: an account's principals, groups and policies by number, and where it stands in
its organization.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A policy by its number: how it is called in explanations, and the digest of its document; None when
    that was not read.
    """

    id: int
    name: str
    digest: str | None


Level = tuple[PolicyRow, ...]


@dataclass(frozen=True, slots=True)
class PolicyHoldings:
    """What a user, role or group holds: (name, digest) of its inline policies, numbers of the policies
    attached to it, of the groups it is in, of the policy that is its permissions boundary.
    """

    inline: tuple[tuple[str, str], ...] = ()
    attached: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    boundary: int | None = None


NOTHING: Final = PolicyHoldings()
NO_TAGS: Final[Mapping[str, str]] = {}


@dataclass(slots=True)
class PrincipalRow:
    """A user or a role. `tags` None: not known; `trust` is the digest of a role's trust policy."""

    id: int
    arn: str
    unique_id: str = ""
    grants: PolicyHoldings = NOTHING
    tags: Mapping[str, str] | None = field(default_factory=lambda: NO_TAGS)
    trust: str | None = None


@dataclass(slots=True)
class GroupRow:
    """A group, whose policies its members have."""

    id: int
    name: str
    grants: PolicyHoldings = NOTHING


@dataclass(frozen=True, slots=True)
class OrganizationStanding:
    """Where an account stands in its organization: levels of control policies, the root first.

    `is_known` is False for a member of an organization whose policies are not known.
    """

    organization_id: str = ""
    paths: tuple[str, ...] = ()
    is_management: bool = False
    scps: tuple[Level, ...] = ()
    rcps: tuple[Level, ...] = ()
    is_known: bool = True


ALONE: Final = OrganizationStanding()
"""An account in no organization."""


@dataclass(slots=True)
class RowChanges:
    """Rows of one account to be entered in the place of those with the same numbers, and numbers of those
    that are gone.
    """

    principals: Iterable[PrincipalRow] = ()
    groups: Iterable[GroupRow] = ()
    policies: Iterable[PolicyRow] = ()
    gone: Iterable[int] = ()


@dataclass(slots=True)
class AccountRows(RowChanges):
    """All of one account."""

    number: str = ""
    partition: str = "aws"
    standing: OrganizationStanding = ALONE
