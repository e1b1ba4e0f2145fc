"""Celery task of drift."""

from __future__ import annotations

from celery import shared_task

from iam.changes.drift import detection, services
from iam.schedule import every


@shared_task(name="iam.changes.drift.tasks.find_drift")  # type: ignore[untyped-decorator]
@every(15)
def find_drift() -> None:
    """Find drift where something was written, and settle undos whose end was missed."""
    detection.find_everywhere()
    services.settle_undoings()
