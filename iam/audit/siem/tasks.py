"""The beat task that looks for what is new in the journal, and the task that sends it."""

from __future__ import annotations

from celery import shared_task

from iam.audit.siem.services import SEND, nudge_receivers, send_pending
from iam.schedule import every


@every(10)
@shared_task(name="iam.audit.siem.tasks.export_journal")  # type: ignore[untyped-decorator]
def export_journal() -> None:
    """Nudge the receivers that lack something."""
    nudge_receivers()


@shared_task(name=SEND)  # type: ignore[untyped-decorator]
def send_to_receiver(key: str) -> None:
    """Send one receiver what it lacks."""
    send_pending(key)
