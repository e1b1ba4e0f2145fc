"""Celery tasks that find new journal entries and send them."""

from __future__ import annotations

from celery import shared_task

from iam.audit.siem.services import SEND, nudge_receivers, send_pending
from iam.schedule import every


@every(10)
@shared_task(name="iam.audit.siem.tasks.export_journal")  # type: ignore[untyped-decorator]
def export_journal() -> None:
    """Queue a task for receivers that lack entries."""
    nudge_receivers()


@shared_task(name=SEND)  # type: ignore[untyped-decorator]
def send_to_receiver(key: str) -> None:
    """Send a receiver the entries that it lacks."""
    send_pending(key)
