"""Reads the ledger for one user, group or role: each permission that it holds directly, with every reason."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import chain
from uuid import UUID

from iam.access.grants.models import LedgerEntry, PermissionSort
from iam.access.grants.queries import visible_grants
from iam.guard import Viewer
from iam.mirror.models import Edge, EdgeKind, Entity, EntityState, InlinePolicy, Kind, valid_at
from iam.policy.document import read


@dataclass(frozen=True, slots=True)
class JustifiedPermission:
    """One existing permission.

    `reasons` are the ledger entries of grants that the viewer sees, oldest first; `hidden` counts the others.
    `is_by_hand` is true if no grant explains the permission or it existed before the first grant, so that no
    grant's end removes it.
    """

    sort: PermissionSort
    target: str
    name: str
    entity: Entity | None
    reasons: tuple[LedgerEntry, ...] = field(default=())
    hidden: int = 0
    is_by_hand: bool = False


def ledger_of(entity: Entity, *, viewer: Viewer) -> list[JustifiedPermission]:
    """The permissions that the entity holds directly and, for a role, the named trust statements, by type and
    name.

    The viewer must be allowed to see the entity. At most six queries.
    """
    entries = LedgerEntry.objects.filter(entity=entity, since__isnull=False, until__isnull=True)
    open_entries = list(entries.select_related("part__grant", "part__account").order_by("since", "pk"))
    grants = visible_grants(viewer).filter(pk__in={entry.part.grant_id for entry in open_entries})
    seen = set(grants.values_list("pk", flat=True))
    by_permission: dict[tuple[str, int | str], list[LedgerEntry]] = defaultdict(list)
    for entry in open_entries:
        by_permission[entry.sort, entry.target_entity_id or entry.target].append(entry)
    rows = [*_tied(entity), *_inline(entity)]
    if entity.kind == Kind.ROLE:
        rows += _trusted(entity)
    return [_justified(row, _entries_of(row, by_permission), seen) for row in rows]


def _entries_of(
    justified: JustifiedPermission, by_permission: dict[tuple[str, int | str], list[LedgerEntry]]
) -> list[LedgerEntry]:
    """The ledger entries of a permission, matched by entity or, if that is unknown, by name."""
    keys: tuple[int | str, ...] = (
        (justified.entity.pk, justified.target) if justified.entity else (justified.target,)
    )
    return list(chain.from_iterable(by_permission.get((justified.sort, key), ()) for key in keys))


def _tied(entity: Entity) -> list[JustifiedPermission]:
    sorts = {EdgeKind.MEMBER.value: PermissionSort.MEMBER, EdgeKind.ATTACHED.value: PermissionSort.ATTACHED}
    edges = Edge.objects.filter(valid_at(None), source=entity, kind__in=list(sorts)).select_related("target")
    justified_rows = [
        JustifiedPermission(sorts[edge.kind], edge.target.arn, edge.target.name, edge.target)
        for edge in edges
    ]
    return sorted(
        justified_rows,
        key=lambda justified: (justified.sort != PermissionSort.MEMBER, justified.name.lower()),
    )


def _inline(entity: Entity) -> list[JustifiedPermission]:
    rows = InlinePolicy.objects.filter(valid_at(None), owner=entity).order_by("name")
    return [
        JustifiedPermission(PermissionSort.INLINE, name, name, None)
        for name in rows.values_list("name", flat=True)
    ]


def _trusted(role: Entity) -> list[JustifiedPermission]:
    """The statements of the role's trust policy that have a Sid."""
    state = EntityState.objects.filter(valid_at(None), entity=role).select_related("document").first()
    document = read(state.document.text) if state and state.document else None
    names = [statement.sid for statement in document.statements if statement.sid] if document else []
    return [JustifiedPermission(PermissionSort.TRUST, name, name, None) for name in names]


def _justified(
    justified: JustifiedPermission, entries: list[LedgerEntry], seen: set[UUID]
) -> JustifiedPermission:
    shown = tuple(entry for entry in entries if entry.part.grant_id in seen)
    return JustifiedPermission(
        sort=justified.sort,
        target=justified.target,
        name=justified.name,
        entity=justified.entity,
        reasons=shown,
        hidden=len(entries) - len(shown),
        is_by_hand=not entries or any(entry.stood_before for entry in entries),
    )
