"""Queries for the users, groups and roles to which a managed policy is attached or whose boundary it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from iam.mirror.models import Edge, EdgeKind, Entity, EntityState, Kind, valid_at

BOUNDARY = "boundary"
SORTS = (Kind.USER.value, Kind.GROUP.value, Kind.ROLE.value, BOUNDARY)


def holder_counts(policy: Entity, *, at: datetime | None) -> dict[str, int]:
    """Return the number of users, groups and roles with the policy, and of those with it as boundary, with
    one query.
    """
    counts = dict.fromkeys(SORTS, 0)
    rows = (
        Edge.objects.filter(valid_at(at), target=policy, kind__in=[EdgeKind.ATTACHED, EdgeKind.BOUNDARY])
        .values_list("kind", "source__kind")
        .annotate(n=Count("pk"))
    )
    for tie, kind, number in rows:
        sort = BOUNDARY if tie == EdgeKind.BOUNDARY else kind
        counts[sort] = counts.get(sort, 0) + number
    return counts


def holders_of(policy: Entity, *, sort: str, at: datetime | None) -> QuerySet[EntityState, Any]:
    """Return the holders of one kind, as mappings, paged by (sort_name, entity_id)."""
    if sort == BOUNDARY:
        return _holders(policy, tie=EdgeKind.BOUNDARY, at=at)
    return _holders(policy, tie=EdgeKind.ATTACHED, at=at).filter(kind=sort)


def some_holders(policy: Entity, *, at: datetime | None, limit: int) -> list[dict[str, Any]]:
    """Return the first holders, groups before users and roles, with one query."""
    rows = _holders(policy, tie=EdgeKind.ATTACHED, at=at)
    return list(rows.order_by("kind", "sort_name", "entity_id")[:limit])


def _holders(policy: Entity, *, tie: EdgeKind, at: datetime | None) -> QuerySet[EntityState, Any]:
    edge = "entity__edges_out"
    then = Q(
        valid_at(at), valid_at(at, prefix=f"{edge}__"), **{f"{edge}__target": policy, f"{edge}__kind": tie}
    )
    return EntityState.objects.filter(then).values(
        "entity_id",
        "kind",
        "sort_name",
        "name",
        "category",
        tied_since=F(f"{edge}__valid_from"),
        tied_after=F(f"{edge}__after"),
    )
