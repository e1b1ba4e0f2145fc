"""The Celery task that calculates findings."""

from __future__ import annotations

from celery import shared_task

from iam.audit.findings.calculation import tend
from iam.schedule import every


@shared_task(name="iam.audit.findings.tasks.calculate_findings")  # type: ignore[untyped-decorator]
@every(15)
def calculate_findings() -> int:
    """Calculate the findings of accounts that were written to, and end acceptances."""
    return tend()
