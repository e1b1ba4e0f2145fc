"""Checks recorded calls for the use of escalation paths."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Final

from django.db.models import F, Max

from iam.access.escalation_calculation.path_records import FindingPath
from iam.activity.models import CallerDay, TrailCaller
from iam.activity.queries import KINDS, ActionCalls, actions_used, callers_of
from iam.mirror.models import Entity
from iam.policy.catalogue import catalogue
from iam.policy.unrecorded_actions import NEVER_RECORDED, data_actions

NOT_IN_EVENTS: Final = frozenset(chain.from_iterable(map(catalogue().expand, NEVER_RECORDED)))


@dataclass(frozen=True, slots=True)
class PathUse:
    """The actions of a path that its principal called successfully.

    `is_whole` is true if that includes every action that CloudTrail records by default.
    """

    called: tuple[ActionCalls, ...]
    is_whole: bool


def path_use(path: FindingPath) -> PathUse | None:
    """The use of a path by its principal; None if it called none of the actions. Three queries."""
    wanted = _actions_of(path)
    entity = Entity.objects.select_related("account").filter(pk=path.who.id).first()
    if not wanted or entity is None:
        return None
    used = actions_used(callers_of(entity))
    called: list[ActionCalls] = []
    for each in used:
        succeeded = each.calls - each.errors
        if succeeded and f"{each.service}:{each.action}" in wanted:
            called.append(replace(each, calls=succeeded))
    if not called:
        return None
    names = {f"{each.service}:{each.action}" for each in called}
    missing = wanted - names - NOT_IN_EVENTS - data_actions()
    return PathUse(tuple(called), is_whole=not missing)


@dataclass(frozen=True, slots=True)
class UsedPath:
    """A principal that used a path: it called every recorded action of it successfully."""

    arn: str
    last_at: datetime


def used_paths(paths: Collection[FindingPath]) -> dict[str, UsedPath]:
    """The used paths among these, by the ARN of the principal, as far as events are known. Three queries."""
    not_recorded = NOT_IN_EVENTS | data_actions()
    wanted = {path.who.id: frozenset(_actions_of(path) - not_recorded) for path in paths}
    entities = {row.aws_id: row for row in Entity.objects.filter(pk__in=wanted) if wanted[row.pk]}
    callers = dict(
        TrailCaller.objects.filter(unique_id__in=entities, kind__in=KINDS.values()).values_list(
            "pk", "unique_id"
        )
    )
    days = CallerDay.objects.filter(caller__in=callers, calls__gt=F("errors"))
    called: dict[int, dict[str, datetime]] = {}
    grouped = days.values("caller", "service", "action").annotate(last=Max("last_at"))
    for caller, service, action, last_at in grouped.values_list("caller", "service", "action", "last"):
        number = entities[callers[caller]].pk
        name = f"{service}:{action}"
        if name in wanted[number]:
            known = called.setdefault(number, {})
            known[name] = max(last_at, known.get(name, last_at))
    used: dict[str, UsedPath] = {}
    for entity in entities.values():
        moments = called.get(entity.pk, {})
        if moments and not wanted[entity.pk] - moments.keys():
            used[entity.arn] = UsedPath(entity.arn, max(moments.values()))
    return used


def _actions_of(path: FindingPath) -> set[str]:
    """The actions of a path that its principal calls itself."""
    acts = chain.from_iterable(step.acts for step in path.steps)
    grounds = chain.from_iterable(act.grounds for act in acts)
    return {ground.action for ground in grounds if ground.who_arn == path.who.arn}
