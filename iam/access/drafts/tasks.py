"""Celery task of drafts."""

from __future__ import annotations

from celery import shared_task

from iam.access.drafts import services
from iam.schedule import DAYS, HOURS, every


@shared_task(name="iam.access.drafts.tasks.sweep_drafts")  # type: ignore[untyped-decorator]
@every(DAYS, expires=HOURS)
def sweep_drafts() -> None:
    """Delete drafts that were not changed for a month."""
    services.sweep()
