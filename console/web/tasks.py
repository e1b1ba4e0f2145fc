"""The heartbeat task of beat."""

from __future__ import annotations

from celery import shared_task

from console.web.heartbeat import beat_was_heard
from iam.schedule import every


@shared_task(name="console.web.tasks.record_heartbeat")  # type: ignore[untyped-decorator]
@every(300)
def record_heartbeat() -> None:
    """Save a heartbeat, which shows that beat sends tasks and that a worker runs them."""
    beat_was_heard()
