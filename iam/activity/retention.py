"""Removes events, rollups, addresses and role users that are older than the setting allows."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

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
from iam.activity.partitions import drop_month, ended_months, hold_months

SLICE: Final = timedelta(days=1)
"""The period that is removed in one transaction."""
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
"""Updates the actions whose first call is removed."""
_HOLD_EVENTS = "LOCK TABLE activity_event IN SHARE ROW EXCLUSIVE MODE"
"""Writers wait for this lock; readers don't."""
_FORGET_ADDRESSES = "DELETE FROM activity_address WHERE last_at < %s"
_SUBTRACT_ALL = """
UPDATE activity_address SET calls = GREATEST(activity_address.calls - gone.calls, 0)
FROM (
  SELECT caller_id, source_address, count(*) AS calls FROM activity_event
  WHERE at < %s AND source_address <> '' GROUP BY 1, 2) AS gone
WHERE activity_address.caller_id = gone.caller_id AND activity_address.address = gone.source_address
"""
_DELETE = "DELETE FROM activity_event WHERE at < %s"
_SUBTRACT = """
UPDATE activity_address SET calls = CASE WHEN calls > %s THEN calls - %s ELSE 0 END
WHERE caller_id = %s AND address = %s
"""


def forget(before: datetime) -> None:
    """Remove what happened before a time: on PostgreSQL whole months first, by dropping their partitions,
    then one day at a time.
    """
    is_postgresql = connection.vendor == "postgresql"
    if is_postgresql:
        for month in ended_months(before):
            _forget_month(month)
    while (oldest := _oldest()) is not None and oldest < before:
        end = min(before, oldest + SLICE)
        with transaction.atomic():
            if is_postgresql:
                _subtract_all(end)
                _execute(_DELETE, end)
            else:
                _forget_events(end)
    _forget_days(before.astimezone(UTC).date())
    CallerAddress.objects.filter(last_at__lt=before).delete()
    RoleUser.objects.filter(last_at__lt=before).delete()
    AddressDay.objects.filter(day__lt=before.astimezone(UTC).date()).delete()


def _oldest() -> datetime | None:
    return TrailEvent.objects.order_by("at").values_list("at", flat=True).first()


def _forget_month(month: date) -> None:
    """Drop the partition of the oldest month, and subtract its calls from those of their source addresses."""
    end = (month + timedelta(days=31)).replace(day=1)
    with transaction.atomic():
        hold_months()
        _subtract_all(datetime.combine(end, time.min, tzinfo=UTC))
        drop_month(month)


def _subtract_all(end: datetime) -> None:
    """Subtract events before a time, which are about to be removed, from the calls of their source addresses.
    Nothing can be stored until the transaction ends, so that the counts match what is removed.
    """
    _execute(_HOLD_EVENTS)
    # All events of these addresses are about to be removed. Deleting the rows is faster than decrementing
    # them.
    _execute(_FORGET_ADDRESSES, end)
    _execute(_SUBTRACT_ALL, end)


def _execute(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)


def _forget_events(before: datetime) -> None:
    """On SQLite, where there are no other writers, remove the events before a time, and their calls from
    those of their source addresses.
    """
    events = TrailEvent.objects.filter(at__lt=before)
    with_address = events.exclude(source_address="").order_by().values("caller_id", "source_address")
    columns = ("caller_id", "source_address", "all_calls")
    counts = with_address.annotate(all_calls=Count("event_id")).values_list(*columns)
    rows = [(calls, calls, caller, address) for caller, address, calls in counts]
    events.delete()
    with connection.cursor() as cursor:
        cursor.executemany(_SUBTRACT, rows)


def _forget_days(first: date) -> None:
    """Remove the days before this one and subtract them from the actions. Writers wait meanwhile, because
    they would add to sums that are being replaced.
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
