"""Celery task of approval."""

from __future__ import annotations

from celery import shared_task

from iam.changes.approval.reminders import remind_and_escalate
from iam.schedule import every


@shared_task(name="iam.changes.approval.tasks.remind_approvers")  # type: ignore[untyped-decorator]
@every(60)
def remind_approvers() -> None:
    """Remind approvers and escalate unanswered requests."""
    remind_and_escalate()
