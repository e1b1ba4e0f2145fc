"""The Celery task of drift."""

from __future__ import annotations

from celery import shared_task

from iam.changes.drift import detection, services
from iam.schedule import every


@shared_task(name="iam.changes.drift.tasks.find_drift")  # type: ignore[untyped-decorator]
@every(15)
def find_drift() -> None:
    """Look for drift where something was written, and end undoings whose end nobody has told."""
    detection.find_everywhere()
    services.settle_undoings()
