"""Finds the services whose data events an account's trail records."""

from __future__ import annotations

from datetime import datetime

from iam.activity.models import CallerDay
from iam.policy.unrecorded_actions import data_actions


def recorded_services(account_id: str, *, since: datetime) -> frozenset[str]:
    """Return the services with recorded data events: those with at least one since `since`. One query."""
    names = data_actions()
    services = {name.partition(":")[0] for name in names}
    rows = CallerDay.objects.filter(account_id=account_id, day__gte=since.date(), service__in=services)
    pairs = rows.values_list("service", "action").distinct()
    return frozenset(service for service, action in pairs if f"{service}:{action}" in names)
