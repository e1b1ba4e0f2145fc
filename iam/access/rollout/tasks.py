"""The Celery task of rollouts."""

from __future__ import annotations

from celery import shared_task

from iam.access.rollout.services import settle_open


@shared_task(name="iam.access.rollout.tasks.settle_rollouts")  # type: ignore[untyped-decorator]
def settle_rollouts() -> int:
    """Let grants follow whose changes have ended, where nobody was told."""
    return settle_open()
