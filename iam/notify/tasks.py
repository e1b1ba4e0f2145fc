"""The Celery tasks of the outbox."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from iam.notify import outbox
from iam.schedule import every


@shared_task(name="iam.notify.tasks.deliver")  # type: ignore[untyped-decorator]
def deliver(outgoing_id: str) -> None:
    """Send a message, if it is due."""
    outbox.deliver(UUID(outgoing_id))


@shared_task(name="iam.notify.tasks.sweep_outbox")  # type: ignore[untyped-decorator]
@every(10)
def sweep_outbox() -> None:
    """Notify workers of due messages."""
    outbox.sweep()
