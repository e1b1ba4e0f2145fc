"""Forgetting: events, rollups and addresses are kept for as many days as the setting says."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from iam.activity.models import CallerAddress, CallerDay, TrailEvent
from iam.activity.partitions import drop_months


def forget(before: datetime) -> None:
    """Remove what happened before a moment. PostgreSQL drops whole months first, which costs nothing, and
    deletes the rest of the month that the moment lies in.
    """
    if connection.vendor == "postgresql":
        drop_months(before)
    TrailEvent.objects.filter(at__lt=before).delete()
    CallerDay.objects.filter(day__lt=before.date()).delete()
    CallerAddress.objects.filter(last_at__lt=before).delete()
