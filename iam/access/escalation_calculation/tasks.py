"""The Celery task that calculates privilege escalation."""

from __future__ import annotations

from celery import shared_task

from iam.access.escalation_calculation.calculation import calculate_due
from iam.schedule import every


@shared_task(name="iam.access.escalation_calculation.tasks.calculate_escalation")  # type: ignore[untyped-decorator]
@every(15)
def calculate_escalation() -> int:
    """Calculate what was written to since the last calculation, and answer what pages asked."""
    return calculate_due()
