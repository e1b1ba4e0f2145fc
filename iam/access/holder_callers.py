"""Finds who calls AWS with what users, roles and groups hold; for groups, these are their members."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from iam.activity.callers import ROLE, USER
from iam.activity.models import TrailCaller
from iam.mirror.models import Edge, EdgeKind, Entity, Kind


class HolderCaller(NamedTuple):
    """A calling principal, with the primary key of the holder: itself, or a group it belongs to."""

    holder: int
    arn: str


def holder_callers(holders: Iterable[Entity], *, since: datetime) -> dict[int, list[HolderCaller]]:
    """Callers by the primary key of their row in the events.

    Includes everyone who was a member of a group at some time after `since`. Two queries.
    """
    by_id: dict[str, set[HolderCaller]] = {}
    groups = set()
    for holder in holders:
        if holder.kind == Kind.GROUP:
            groups.add(holder.pk)
        else:
            by_id.setdefault(holder.aws_id, set()).add(HolderCaller(holder.pk, holder.arn))
    if groups:
        lately = Q(valid_to__isnull=True) | Q(valid_to__gt=since)
        edges = Edge.objects.filter(lately, kind=EdgeKind.MEMBER, target__in=groups)
        for group, unique_id, arn in edges.values_list("target", "source__aws_id", "source__arn"):
            by_id.setdefault(unique_id, set()).add(HolderCaller(group, arn))
    by_arn: dict[str, set[HolderCaller]] = {}
    for callers in by_id.values():
        for caller in callers:
            by_arn.setdefault(caller.arn, set()).add(caller)
    same = Q(unique_id__in=by_id) | Q(unique_id="", arn__in=by_arn)
    rows = TrailCaller.objects.filter(same, kind__in=(USER, ROLE)).values_list("pk", "unique_id", "arn")
    callers_by_row = {}
    for number, unique_id, arn in rows:
        same_callers = by_id[unique_id] if unique_id else by_arn[arn]
        callers_by_row[number] = sorted(same_callers)
    return callers_by_row
