"""The organization as synced from an account that can read it: units, accounts, and the policies attached to
each.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from iam.mirror.models import Account, Edge, EdgeKind, EntityState, Kind, valid_at

_PLACES = (Kind.ORG_ROOT, Kind.ORG_UNIT, Kind.ORG_ACCOUNT)
_POLICIES = (Kind.SCP, Kind.RCP)
PREVIEW_ACCOUNTS = 30
"""Maximum number of accounts to list per unit. The list of accounts has the rest."""


@dataclass(slots=True)
class OrganizationPolicy:
    """An SCP or RCP. `document` is its text."""

    entity_id: int
    name: str
    kind: str
    document: str
    is_aws_managed: bool

    @property
    def label(self) -> str:
        """SCP or RCP."""
        return self.kind.upper()


@dataclass(slots=True)
class OrganizationNode:
    """A root, a unit or an account, with its children and attached policies. `aws_id` of an account is its
    ID.
    """

    name: str
    kind: str
    aws_id: str
    units: list[OrganizationNode] = field(default_factory=list)
    accounts: list[OrganizationNode] = field(default_factory=list)
    policies: list[OrganizationPolicy] = field(default_factory=list)

    @property
    def is_root(self) -> bool:
        """True if this is the root of the organization."""
        return self.kind == Kind.ORG_ROOT

    @property
    def own_policies(self) -> list[OrganizationPolicy]:
        """The customer's policies. AWS's own, which allow everything, are attached everywhere."""
        return [policy for policy in self.policies if not policy.is_aws_managed]

    @property
    def listed(self) -> list[OrganizationNode]:
        """The accounts that a page lists."""
        return self.accounts[:PREVIEW_ACCOUNTS]

    @property
    def unlisted(self) -> int:
        """The number of further accounts."""
        return max(0, len(self.accounts) - PREVIEW_ACCOUNTS)


@dataclass(frozen=True, slots=True)
class MirroredOrganization:
    """The roots with everything below, and all policies without duplicates."""

    roots: list[OrganizationNode]
    policies: list[OrganizationPolicy]


def organization_tree(account: Account, *, at: datetime | None = None) -> MirroredOrganization | None:
    """Return the organization synced from this account, now or at a time, or None. Two queries, or one if
    there is none.
    """
    states = EntityState.objects.filter(valid_at(at), account=account, kind__in=(*_PLACES, *_POLICIES))
    rows = list(states.select_related("entity", "document").order_by("sort_name", "entity_id"))
    if not rows:
        return None
    places = {
        row.entity_id: OrganizationNode(row.name, row.kind, row.entity.aws_id)
        for row in rows
        if row.kind in _PLACES
    }
    policies = {row.entity_id: _policy(row) for row in rows if row.kind in _POLICIES}
    above: set[int] = set()
    attached: dict[int, list[OrganizationPolicy]] = defaultdict(list)
    edges = Edge.objects.filter(valid_at(at), account=account, kind__in=(EdgeKind.PARENT, EdgeKind.TARGET))
    parent_of: dict[int, int] = {}
    for kind, source, target in edges.values_list("kind", "source_id", "target_id"):
        if kind == EdgeKind.PARENT:
            parent_of[source] = target
        elif source in policies:
            attached[target].append(policies[source])
    for key, place in places.items():
        place.policies = sorted(attached[key], key=lambda policy: (policy.kind, policy.name))
        parent = places.get(parent_of.get(key, 0))
        if parent is not None:
            (parent.accounts if place.kind == Kind.ORG_ACCOUNT else parent.units).append(place)
            above.add(key)
    roots = [place for key, place in places.items() if key not in above]
    return MirroredOrganization(roots=roots, policies=list(policies.values()))


def _policy(row: EntityState) -> OrganizationPolicy:
    document = row.document.text if row.document else ""
    return OrganizationPolicy(
        entity_id=row.entity_id,
        name=row.name,
        kind=row.kind,
        document=document,
        is_aws_managed=row.category == "aws",
    )
