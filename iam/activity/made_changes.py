"""Finds the calls that may have caused a difference in the mirror: IAM changes between two syncs that concern
the same entity.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import orjson
from django.db.models import Q

from iam.activity.models import TrailEvent
from iam.activity.sources.spans import TimeSpan, merged
from iam.mirror.models import KINDS_BY_ARN

CALLS_LOOKED_AT: Final = 2000
"""Maximum number of an account's calls, newest first, that are compared with the differences of a page."""
WHOLE_SECOND: Final = timedelta(seconds=1)
"""CloudTrail writes whole seconds."""
NamedKind = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DifferenceWindow:
    """A difference: its entity (kind, name), other entities that it names, and the two syncs between which it
    occurred.
    """

    subject: NamedKind
    others: frozenset[NamedKind]
    after: datetime
    until: datetime


def calls_within(windows: Sequence[tuple[str, DifferenceWindow]]) -> list[list[TrailEvent]]:
    """Return the calls that may have caused each difference, newest first. Each window is paired with its
    account ID. One query.
    """
    if not windows:
        return []
    rows = TrailEvent.objects.filter(_times(windows), service="iam", is_read_only=False, error_code="")
    calls = list(rows.select_related("caller").order_by("-at")[:CALLS_LOOKED_AT])
    return [
        [call for call in calls if call.account_id == number and _fits(call, window)]
        for number, window in windows
    ]


def _times(windows: Iterable[tuple[str, DifferenceWindow]]) -> Q:
    """Return the condition that a call was made within a window, for each account without overlaps."""
    by_account: dict[str, list[TimeSpan]] = {}
    for number, window in windows:
        span = TimeSpan(window.after - WHOLE_SECOND, window.until)
        by_account.setdefault(number, []).append(span)
    within = Q()
    for number, spans in by_account.items():
        for span in merged(spans):
            within |= Q(account_id=number, at__gte=span.start, at__lte=span.end)
    return within


def _fits(call: TrailEvent, window: DifferenceWindow) -> bool:
    """Return True if a call concerns the entity, or concerns another one and names the entity too."""
    if not window.after - WHOLE_SECOND <= call.at <= window.until:
        return False
    named = named_kind(call.resource)
    if named == window.subject:
        return True
    return named in window.others and _names(call, window.subject[1])


def _names(call: TrailEvent, name: str) -> bool:
    """Return True if the parameters of a call name an entity, or if its record was not kept."""
    if not call.raw:
        return True
    parameters = orjson.loads(call.raw).get("requestParameters")
    return isinstance(parameters, dict) and name in parameters.values()


def named_kind(arn: str) -> NamedKind | None:
    """Return kind and name of an IAM entity from its ARN, with or without a path, or None."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam":
        return None
    kind, _, rest = parts[5].partition("/")
    return (KINDS_BY_ARN[kind], rest.rpartition("/")[2]) if kind in KINDS_BY_ARN else None


def distinct_calls(calls: Iterable[TrailEvent]) -> list[TrailEvent]:
    """Return the newest call of each principal and action."""
    newest: dict[tuple[int, str], TrailEvent] = {}
    for call in calls:
        newest.setdefault((call.caller_id, call.action), call)
    return list(newest.values())
