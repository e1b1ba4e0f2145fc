"""Which users called AWS lately, where CloudTrail is known for the time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Max

from iam.activity.callers import USER
from iam.activity.models import CallerDay
from iam.activity.queries import extent
from iam.activity.sources.coverage import spans_of

DAYS: Final = 90
GAP: Final = timedelta(days=1)
"""So much may be missing at the beginning, at the end, or within: what a trail delivers late."""


def last_calls(account_id: str, *, now: datetime) -> dict[str, datetime] | None:
    """When the users of an account last called AWS with success, by unique ID, of those that did in the last
    90 days. None if events of a part of that time are missing. Four queries.
    """
    since = now - timedelta(days=DAYS)
    known = extent(account_id)
    if known is None or known.first_at > since + GAP or known.last_at < now - 2 * GAP:
        return None
    for place in spans_of(account_id):
        if any(span.end > since and span.end - span.start > GAP for span in place.missing):
            return None
    days = CallerDay.objects.filter(
        caller__account_id=account_id, caller__kind=USER, day__gte=since.date(), calls__gt=F("errors")
    )
    rows = days.values("caller__unique_id").annotate(last=Max("last_at"))
    return dict(rows.values_list("caller__unique_id", "last"))
