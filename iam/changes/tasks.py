"""Celery tasks of the change pipeline. Each takes an id and calls the runner."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from iam.changes import handlers, notifications, runner
from iam.changes.restore.services import is_held
from iam.schedule import every


@shared_task(name="iam.changes.tasks.run_change")  # type: ignore[untyped-decorator]
def run_change(change_id: str) -> None:
    """Run the due step of a change, unless a restored backup waits for a decision."""
    if is_held():
        return
    runner.run(UUID(change_id))


@shared_task(name="iam.changes.tasks.notify_ended")  # type: ignore[untyped-decorator]
def notify_ended(change_ids: list[str]) -> None:
    """Run the handlers of changes that ended together."""
    handlers.tell_ends([UUID(change_id) for change_id in change_ids])


@shared_task(name="iam.changes.tasks.sweep_changes")  # type: ignore[untyped-decorator]
@every(10)
def sweep_changes() -> None:
    """Start due changes and end expired ones, unless a restored backup waits for a decision."""
    if is_held():
        return
    runner.sweep()


@shared_task(name="iam.changes.tasks.notify_missed_ends")  # type: ignore[untyped-decorator]
@every(60)
def notify_missed_ends() -> None:
    """Notify people of failures for which the notifications were missed."""
    notifications.tell_missed_ends()
