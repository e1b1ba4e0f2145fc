"""Forgetting: events, rollups, addresses and users of roles are kept for as many days as the setting says."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Count

from iam.activity.models import (
    AddressDay,
    CallerAction,
    CallerAddress,
    CallerDay,
    RoleUser,
    TrailEvent,
)
from iam.activity.partitions import drop_months

SLICE: Final = timedelta(days=1)
"""So much of the time is forgotten in one transaction."""
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
_DELETE = """
WITH gone AS (DELETE FROM activity_event WHERE at < %s RETURNING caller_id, source_address)
SELECT caller_id, source_address, count(*) FROM gone WHERE source_address <> '' GROUP BY 1, 2
"""
_SUBTRACT = """
UPDATE activity_address SET calls = CASE WHEN calls > %s THEN calls - %s ELSE 0 END
WHERE caller_id = %s AND address = %s
"""


def forget(before: datetime) -> None:
    """Remove what happened before a moment, a day at a time. PostgreSQL then drops the months that are over,
    which are empty.
    """
    while (oldest := _oldest()) is not None and oldest < before:
        _forget_events(min(before, oldest + SLICE))
    if connection.vendor == "postgresql":
        drop_months(before)
    _forget_days(before.astimezone(UTC).date())
    CallerAddress.objects.filter(last_at__lt=before).delete()
    RoleUser.objects.filter(last_at__lt=before).delete()
    AddressDay.objects.filter(day__lt=before.astimezone(UTC).date()).delete()


def _oldest() -> datetime | None:
    return TrailEvent.objects.order_by("at").values_list("at", flat=True).first()


def _forget_events(before: datetime) -> None:
    """Remove the events before a moment, and their calls from those of their source addresses."""
    with transaction.atomic():
        forgotten = _delete_events(before)
        # In the order in which `storage` adds to them, so that neither stops the other.
        rows = [(calls, calls, *key) for key, calls in sorted(forgotten.items())]
        with connection.cursor() as cursor:
            cursor.executemany(_SUBTRACT, rows)


def _delete_events(before: datetime) -> Counter[tuple[int, str]]:
    """Remove the events before a moment; how many of them each principal made from which address. On
    PostgreSQL events can come meanwhile, so that what is counted is what was removed.
    """
    forgotten: Counter[tuple[int, str]] = Counter()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_DELETE, [before])
            counts = cursor.fetchall()
    else:
        events = TrailEvent.objects.filter(at__lt=before)
        with_address = events.exclude(source_address="").order_by().values("caller_id", "source_address")
        columns = ("caller_id", "source_address", "all_calls")
        counts = list(with_address.annotate(all_calls=Count("event_id")).values_list(*columns))
        events.delete()
    for caller, address, calls in counts:
        forgotten[caller, address] = calls
    return forgotten


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
