"""Celery task that calculates past scores."""

from __future__ import annotations

from celery import shared_task

from iam.audit.posture.past import TASK
from iam.audit.posture.past_calculation import calculate_waiting
from iam.schedule import every


@every(60)
@shared_task(name=TASK)  # type: ignore[untyped-decorator]
def calculate_past_postures() -> int:
    """Calculate the past moments that pages requested."""
    return calculate_waiting()
