"""The sign of life of beat."""

from __future__ import annotations

from celery import shared_task

from console.web.heartbeat import beat_was_heard
from iam.schedule import every


@shared_task(name="console.web.tasks.record_heartbeat")  # type: ignore[untyped-decorator]
@every(300)
def record_heartbeat() -> None:
    """Note that beat sends, and that a worker takes what it sends."""
    beat_was_heard()
