"""Celery task of rollouts."""

from __future__ import annotations

from celery import shared_task

from iam.access.rollout.services import settle_open
from iam.schedule import every


@shared_task(name="iam.access.rollout.tasks.reconcile_rollouts")  # type: ignore[untyped-decorator]
@every(60)
def reconcile_rollouts() -> int:
    """Settle rollouts whose changes have ended, in case a handler was missed."""
    return settle_open()
