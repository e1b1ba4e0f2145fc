"""Old activity is forgotten, and months of it come and go as tables on PostgreSQL."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from iam.activity.models import CallerAction, CallerAddress, CallerDay, TrailEvent
from iam.activity.partitions import _months
from iam.activity.queries import actions_used, addresses_of, callers_of
from iam.activity.retention import _subtract_all, forget
from iam.activity.storage import _WRITE_EVENTS
from tests import factories
from tests.iam.activity.events import DENIED, happened, identity_of

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


def test_what_is_older_is_forgotten_and_what_is_younger_is_kept() -> None:
    maya = factories.user(factories.account(), "maya.okafor")
    for day in (datetime(2025, 11, 3, tzinfo=UTC), datetime(2026, 1, 9, tzinfo=UTC)):
        happened(identity_of(maya), at=day, sourceIPAddress="192.0.2.1")
    happened(identity_of(maya), at=datetime(2026, 1, 20, tzinfo=UTC))
    forget(datetime(2026, 1, 15, tzinfo=UTC))
    assert [event.at.day for event in TrailEvent.objects.all()] == [20]
    assert [row.day.day for row in CallerDay.objects.all()] == [20]
    assert [row.address for row in CallerAddress.objects.all()] == ["198.51.100.7"]


def test_the_sum_of_an_action_forgets_the_days_that_are_forgotten() -> None:
    """It is what the days that are left add up to, also where the border lies within a day."""
    maya = factories.user(factories.account(), "maya.okafor")
    days = [datetime(2026, 1, day, 10, tzinfo=UTC) for day in (3, 9, 15, 20)]
    for day in days:
        happened(identity_of(maya), at=day, times=2)
    happened(identity_of(maya), at=days[1], eventName="PutObject", **DENIED)
    happened(identity_of(maya), at=days[1], eventName="DeleteObject")
    happened(identity_of(maya), at=days[3], eventName="DeleteObject", **DENIED)
    for border in (1, 4, 12, 15):
        forget(datetime(2026, 1, border, 12, tzinfo=UTC))
        for _ in range(2):
            callers = callers_of(maya)
            assert actions_used(callers) == actions_used(callers, since=date(2026, 1, 1)), border
            forget(datetime(2026, 1, border, 12, tzinfo=UTC))
    use = [(each.action, each.calls, each.denied, each.first_at) for each in actions_used(callers)]
    assert use == [("DeleteObject", 1, 1, days[3]), ("GetObject", 4, 0, days[2])]
    forget(datetime(2026, 2, 1, tzinfo=UTC))
    assert not CallerAction.objects.exists()


def test_the_calls_of_a_source_address_forget_those_that_are_forgotten() -> None:
    """They are as many as there are events, wherever the border lies; also if it is asked for again, and of
    several months and principals.
    """
    account = factories.account()
    maya, tomas = factories.user(account, "maya.okafor"), factories.user(account, "tomas.lind")
    for user in (maya, tomas):
        for month, day, hour in ((11, 3, 9), (11, 3, 15), (12, 24, 9), (1, 9, 9), (1, 9, 18), (1, 20, 9)):
            at = datetime(2026 if month == 1 else 2025, month, day, hour, tzinfo=UTC)
            happened(identity_of(user), at=at, times=3)
            happened(identity_of(user), at=at, sourceIPAddress="192.0.2.1" if hour == 9 else None)
    borders = (
        datetime(2025, 11, 3, 12, tzinfo=UTC),
        datetime(2025, 12, 1, tzinfo=UTC),
        datetime(2026, 1, 9, 12, tzinfo=UTC),
        datetime(2026, 1, 20, 8, tzinfo=UTC),
    )
    for border in borders:
        for _ in range(2):
            forget(border)
            counted = [(row.caller_id, row.address, row.calls) for row in CallerAddress.objects.all()]
            kept = Counter(TrailEvent.objects.values_list("caller_id", "source_address"))
            expected = [(*key, calls) for key, calls in kept.items() if key[1]]
            assert sorted(counted) == sorted(expected), border
    addresses = [(each.address, each.calls) for each in addresses_of(callers_of(maya))]
    assert addresses == [("192.0.2.1", 1), ("198.51.100.7", 3)]


@pytest.mark.postgresql
def test_months_that_are_over_are_dropped_without_removing_their_events_one_by_one(
    django_assert_max_num_queries: Any,
) -> None:
    """And their calls no longer count for their source addresses."""
    if connection.vendor != "postgresql":
        return
    maya = factories.user(factories.account(), "maya.okafor")
    for month in (10, 11):
        for day in range(1, 29):
            happened(identity_of(maya), at=datetime(2025, month, day, tzinfo=UTC), times=4)
    happened(identity_of(maya), at=datetime(2025, 12, 1, tzinfo=UTC), times=3)
    with django_assert_max_num_queries(40) as queries:
        forget(datetime(2025, 12, 1, tzinfo=UTC))
    assert not [each for each in queries if "DELETE FROM activity_event" in each["sql"]]
    assert TrailEvent.objects.count() == 3
    assert [(row.address, row.calls) for row in CallerAddress.objects.all()] == [("198.51.100.7", 3)]


@pytest.mark.postgresql
def test_nothing_is_stored_while_events_are_counted_and_everything_can_be_read() -> None:
    """What came between would be dropped without being counted. Storing waits before it has read anything."""
    if connection.vendor != "postgresql":
        return
    with transaction.atomic(), closing(connection.copy()) as other:
        _subtract_all(datetime(2025, 12, 1, tzinfo=UTC))
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT count(*) FROM activity_event")
            with pytest.raises(OperationalError, match="could not obtain lock"):
                cursor.execute(f"{_WRITE_EVENTS} NOWAIT")
            cursor.execute("ROLLBACK")


@pytest.mark.postgresql
def test_each_month_is_a_table_of_its_own() -> None:
    if connection.vendor != "postgresql":
        return
    maya = factories.user(factories.account(), "maya.okafor")
    happened(identity_of(maya), at=datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC))
    happened(identity_of(maya), at=datetime(2026, 1, 1, tzinfo=UTC))
    months = {(month.year, month.month) for month in _months()}
    assert {(2025, 12), (2026, 1)} <= months
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ONLY activity_event_2025_12")
        assert cursor.fetchone()[0] == 1
    forget(datetime(2026, 1, 1, tzinfo=UTC))
    assert (2025, 12) not in {(month.year, month.month) for month in _months()}
    assert TrailEvent.objects.count() == 1
