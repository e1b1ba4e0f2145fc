"""The input of the index: an account's principals, groups and policies by number, and its place in its
organization.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A policy by its number: its name in explanations, and the digest of its document; None if not
    synced.
    """

    id: int
    name: str
    digest: str | None


Level = tuple[PolicyRow, ...]


@dataclass(frozen=True, slots=True)
class PolicyHoldings:
    """What a user, role or group holds: (name, digest) of inline policies, and the numbers of attached
    policies, of its groups and of the policy that is its permissions boundary.
    """

    inline: tuple[tuple[str, str], ...] = ()
    attached: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    boundary: int | None = None


NOTHING: Final = PolicyHoldings()
NO_TAGS: Final[Mapping[str, str]] = {}


@dataclass(slots=True)
class PrincipalRow:
    """A user or role. `tags` are None if unknown; `trust` is the digest of a role's trust policy."""

    id: int
    arn: str
    unique_id: str = ""
    grants: PolicyHoldings = NOTHING
    tags: Mapping[str, str] | None = field(default_factory=lambda: NO_TAGS)
    trust: str | None = None


@dataclass(slots=True)
class GroupRow:
    """A group. Its members have its policies."""

    id: int
    name: str
    grants: PolicyHoldings = NOTHING


@dataclass(frozen=True, slots=True)
class OrganizationStanding:
    """An account's place in its organization: levels of control policies, from the root down.

    `is_known` is False for a member of an organization whose policies are unknown.
    """

    organization_id: str = ""
    paths: tuple[str, ...] = ()
    is_management: bool = False
    scps: tuple[Level, ...] = ()
    rcps: tuple[Level, ...] = ()
    is_known: bool = True


ALONE: Final = OrganizationStanding()
"""The standing of an account outside any organization."""


@dataclass(slots=True)
class RowChanges:
    """Rows of one account that replace those with the same numbers, and the numbers of removed rows."""

    principals: Iterable[PrincipalRow] = ()
    groups: Iterable[GroupRow] = ()
    policies: Iterable[PolicyRow] = ()
    gone: Iterable[int] = ()


@dataclass(slots=True)
class AccountRows(RowChanges):
    """All rows of one account."""

    number: str = ""
    partition: str = "aws"
    standing: OrganizationStanding = ALONE
