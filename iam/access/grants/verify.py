"""Checks whether the permissions of a grant still exist in AWS, based on the mirror."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from iam.access.grants.documents import NOW, stamp
from iam.access.grants.models import GIVING, Grant, GrantPart, LedgerEntry, PermissionSort
from iam.access.grants.trust_statement import sids_of
from iam.mirror.models import Edge, EdgeKind, EntityState, InlinePolicy, PolicyVersion, valid_at

MAX_SENTENCES: Final = 3
"""The number of sentences shown for one part."""
EDGES: Final = {PermissionSort.MEMBER: EdgeKind.MEMBER, PermissionSort.ATTACHED: EdgeKind.ATTACHED}


@dataclass(frozen=True, slots=True)
class GrantHoldings:
    """What the mirror knows of the holders of a grant, by primary key.

    `ties` are memberships and attachments (holder, kind, and primary key or ARN of the group or policy),
    `inline` inline policies, `texts` trust policies and policy texts.
    """

    ties: frozenset[tuple[int | None, str, int | str]]
    inline: dict[tuple[int, str], str]
    texts: dict[int, str]


def missing_entries() -> QuerySet[LedgerEntry]:
    """Every permission that a grant gives and that AWS no longer shows, as the mirror has it. `missing_in`
    also tells of those whose text is another.
    """
    entries = LedgerEntry.objects.filter(part__state__in=GIVING, since__isnull=False, until__isnull=True)
    inline = InlinePolicy.objects.filter(valid_at(None), owner=OuterRef("entity"), name=OuterRef("target"))
    is_gone = Q(entity__isnull=True) | Q(entity__gone_at__isnull=False)
    is_gone |= Q(~Exists(inline), sort=PermissionSort.INLINE)
    for sort, kind in EDGES.items():
        edge = Edge.objects.filter(valid_at(None), source=OuterRef("entity"), kind=kind)
        same_target = Q(target=OuterRef("target_entity")) | Q(target__arn=OuterRef("target"))
        is_gone |= Q(~Exists(edge.filter(same_target)), sort=sort)
    return entries.filter(is_gone)


def altered_grants(grants: Iterable[Grant]) -> set[UUID]:
    """Those of these grants of which AWS no longer shows all that they give; one query."""
    giving = [grant.pk for grant in grants if grant.state in GIVING]
    missing = missing_entries().filter(part__grant__in=giving)
    return set(missing.order_by().values_list("part__grant_id", flat=True).distinct())


def missing_in(grant: Grant, *, hidden: Collection[str] = ()) -> dict[int, list[str]]:
    """Sentences on permissions that are missing or lost their end date, by the primary key of the part.

    `hidden` are ARNs of recipients to leave out. Five queries, independent of the size of the grant.
    """
    if grant.state not in GIVING:
        return {}
    entries = LedgerEntry.objects.filter(
        part__grant=grant, part__state__in=GIVING, since__isnull=False, until__isnull=True
    )
    entries = entries.exclude(holder_arn__in=list(hidden)) if hidden else entries
    rows = list(entries.select_related("entity", "target_entity", "change").order_by("pk"))
    if not rows:
        return {}
    present = _found({row.entity_id for row in rows if row.entity_id})
    missing: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        for sentence in _missing(row, present, grant.ends_at):
            if sentence not in missing[row.part_id]:
                missing[row.part_id].append(sentence)
    return {part: _first(sentences) for part, sentences in missing.items() if sentences}


def _first(sentences: list[str]) -> list[str]:
    more = len(sentences) - MAX_SENTENCES
    return [*sentences[:MAX_SENTENCES], f"And {more:,} more."] if more > 1 else sentences


def _found(holders: Iterable[int]) -> GrantHoldings:
    now, keys = valid_at(None), list(holders)
    edges: Any = Edge.objects.filter(now, source__in=keys, kind__in=list(EDGES.values()))
    inline = InlinePolicy.objects.filter(now, owner__in=keys)
    trusts = EntityState.objects.filter(now, entity__in=keys, document__isnull=False)
    versions = PolicyVersion.objects.filter(now, policy__in=keys, is_default=True)
    ties: set[tuple[int | None, str, int | str]] = set()
    for source, kind, pk, arn in edges.values_list("source_id", "kind", "target_id", "target__arn"):
        ties |= {(source, kind, pk), (source, kind, arn)}
    return GrantHoldings(
        ties=frozenset(ties),
        inline={
            (owner, name): text
            for owner, name, text in inline.values_list("owner_id", "name", "document__text")
        },
        texts={
            **dict(trusts.values_list("entity_id", "document__text")),
            **dict(versions.values_list("policy_id", "document__text")),
        },
    )


def has_come_back(part: GrantPart) -> bool:
    """True if a permission that the end of the grant removed exists again."""
    entries = part.entries.filter(since__isnull=False, until__isnull=False, ended_by__isnull=False)
    rows = list(entries.select_related("entity", "target_entity", "change"))
    present = _found({row.entity_id for row in rows if row.entity_id})
    return any(not list(_missing(row, present, None)) for row in rows)


def is_in_mirror(entry: LedgerEntry) -> bool:
    """True if the permission of the entry exists according to the mirror."""
    holders = [entry.entity_id] if entry.entity_id else []
    present = _found(holders)
    return not list(_missing(entry, present, None))


def _missing(entry: LedgerEntry, present: GrantHoldings, end: datetime | None) -> Iterator[str]:
    holder = entry.entity
    name = holder.name if holder else entry.holder_arn.rpartition("/")[2]
    if holder is None or holder.gone_at is not None:
        yield f"{name} no longer exists."
        return
    if entry.sort in EDGES:
        if not _is_tied(entry, present):
            target = entry.target_entity.name if entry.target_entity else entry.target.rpartition("/")[2]
            yield (
                f"{name} is no longer in the group {target}."
                if entry.sort == PermissionSort.MEMBER
                else f"The policy {target} is no longer attached to {name}."
            )
        return
    text = (
        present.inline.get((holder.pk, entry.target))
        if entry.sort == PermissionSort.INLINE
        else present.texts.get(holder.pk)
    )
    if entry.sort == PermissionSort.INLINE and text is None:
        yield f"{name} no longer has the inline policy {entry.target}."
    elif entry.sort == PermissionSort.TRUST and text is not None and entry.target not in sids_of(text):
        yield f"The trust policy of {name} no longer allows them: the statement is gone."
    elif text is not None and _has_lost_its_end(entry, text, end):
        yield f"{name} has a different end date than the grant, or none: someone changed it in AWS."


def _is_tied(entry: LedgerEntry, present: GrantHoldings) -> bool:
    kind = EDGES[PermissionSort(entry.sort)].value
    return (entry.entity_id, kind, entry.target_entity_id or entry.target) in present.ties


def _has_lost_its_end(entry: LedgerEntry, text: str, end: datetime | None) -> bool:
    """True if the policy was written with an end date and no longer contains the current one."""
    params = json.dumps(entry.change.params) if entry.change else ""
    return end is not None and not entry.stood_before and NOW in params and stamp(end) not in text
