"""The Celery task of the fleet."""

from __future__ import annotations

from celery import shared_task

from iam.people.fleet.calculation import calculate
from iam.schedule import every


@shared_task(name="iam.people.fleet.tasks.calculate_fleet")  # type: ignore[untyped-decorator]
@every(15)
def calculate_fleet() -> int:
    """Calculate the accounts that were written to since their last calculation."""
    return calculate()
