"""Whether someone used an escalation path: recorded calls of the actions that it takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from iam.access.escalation_calculation.path_records import FindingPath
from iam.activity.queries import ActionCalls, actions_used, callers_of
from iam.mirror.models import Entity
from iam.policy.catalogue import catalogue
from iam.policy.unrecorded_actions import NEVER_RECORDED, data_actions

NOT_IN_EVENTS: Final = frozenset(chain.from_iterable(map(catalogue().expand, NEVER_RECORDED)))


@dataclass(frozen=True, slots=True)
class PathUse:
    """The actions of a path that its principal called with success. `is_whole`: all that CloudTrail records
    by default were.
    """

    called: tuple[ActionCalls, ...]
    is_whole: bool


def path_use(path: FindingPath) -> PathUse | None:
    """The use of a path by its principal; None if none of its actions was called. Three queries."""
    acts = chain.from_iterable(step.acts for step in path.steps)
    grounds = chain.from_iterable(act.grounds for act in acts)
    wanted = {ground.action for ground in grounds if ground.who_arn == path.who.arn}
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
