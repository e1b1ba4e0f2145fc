"""Forgetting: events, rollups, addresses and users of roles are kept for as many days as the setting says."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from django.db import connection, transaction

from iam.activity.models import CallerAction, CallerAddress, CallerDay, RoleUser, TrailEvent
from iam.activity.partitions import drop_months

_HOLD = "LOCK TABLE activity_day IN SHARE ROW EXCLUSIVE MODE"
_ADD_UP_AGAIN = """
UPDATE activity_action SET calls = kept.calls, errors = kept.errors, denied = kept.denied,
  first_at = kept.first_at
FROM (
  SELECT caller_id, service, action, sum(calls) AS calls, sum(errors) AS errors, sum(denied) AS denied,
    min(first_at) AS first_at
  FROM activity_day GROUP BY caller_id, service, action) AS kept
WHERE activity_action.caller_id = kept.caller_id AND activity_action.service = kept.service
  AND activity_action.action = kept.action AND activity_action.first_at < %s
"""
"""Of the actions whose first call is forgotten."""


def forget(before: datetime) -> None:
    """Remove what happened before a moment. PostgreSQL drops whole months first, which costs nothing, and
    deletes the rest of the month that the moment lies in.
    """
    if connection.vendor == "postgresql":
        drop_months(before)
    TrailEvent.objects.filter(at__lt=before).delete()
    _forget_days(before.astimezone(UTC).date())
    CallerAddress.objects.filter(last_at__lt=before).delete()
    RoleUser.objects.filter(last_at__lt=before).delete()


def _forget_days(first: date) -> None:
    """Remove the days before this one, and what they added to the actions. What is stored meanwhile waits:
    it would add to sums that are about to be replaced.
    """
    since = datetime.combine(first, time.min, tzinfo=UTC)
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(_HOLD)
        forgotten, _ = CallerDay.objects.filter(day__lt=first).delete()
        if not forgotten:
            return
        CallerAction.objects.filter(last_at__lt=since).delete()
        with connection.cursor() as cursor:
            cursor.execute(_ADD_UP_AGAIN, [connection.ops.adapt_datetimefield_value(since)])
