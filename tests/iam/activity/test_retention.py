"""Old activity is forgotten, and months of it come and go as tables on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection

from iam.activity.models import CallerAddress, CallerDay, TrailEvent
from iam.activity.partitions import _months
from iam.activity.retention import forget
from tests import factories
from tests.iam.activity.events import happened, identity_of

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
