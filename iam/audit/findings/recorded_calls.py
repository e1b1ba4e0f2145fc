"""Which users called AWS lately, where CloudTrail is known for the time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Max

from iam.activity.callers import USER
from iam.activity.models import CallerDay
from iam.activity.sources.covered_accounts import covered_accounts

DAYS: Final = 90


def last_calls(account_id: str, *, now: datetime) -> dict[str, datetime] | None:
    """When the users of an account last called AWS with success, by unique ID, of those that did in the last
    90 days. None if events of a part of that time are missing. Three queries.
    """
    since = now - timedelta(days=DAYS)
    if not covered_accounts([account_id], since=since, now=now):
        return None
    days = CallerDay.objects.filter(
        caller__account_id=account_id, caller__kind=USER, day__gte=since.date(), calls__gt=F("errors")
    )
    rows = days.values("caller__unique_id").annotate(last=Max("last_at"))
    return dict(rows.values_list("caller__unique_id", "last"))
