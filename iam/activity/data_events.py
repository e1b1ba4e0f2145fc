"""Of which services the trail of an account records data events."""

from __future__ import annotations

from datetime import datetime

from iam.activity.models import CallerDay
from iam.policy.unrecorded_actions import data_actions


def recorded_services(account_id: str, *, since: datetime) -> frozenset[str]:
    """The services whose data events are recorded: some are among the events since then. One query."""
    names = data_actions()
    services = {name.partition(":")[0] for name in names}
    rows = CallerDay.objects.filter(account_id=account_id, day__gte=since.date(), service__in=services)
    pairs = rows.values_list("service", "action").distinct()
    return frozenset(service for service, action in pairs if f"{service}:{action}" in names)
