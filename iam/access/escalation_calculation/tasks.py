"""Celery task that calculates privilege escalation."""

from __future__ import annotations

from celery import shared_task

from iam.access.escalation_calculation.calculation import calculate_due
from iam.schedule import every


@shared_task(name="iam.access.escalation_calculation.tasks.calculate_escalation")  # type: ignore[untyped-decorator]
@every(15)
def calculate_escalation() -> int:
    """Calculate after writes, and answer questions of pages."""
    return calculate_due()
