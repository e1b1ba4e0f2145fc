"""The Celery tasks of moving."""

from __future__ import annotations

from celery import shared_task

from iam.people.moving import settling


@shared_task(name="iam.people.moving.tasks.settle_moves")  # type: ignore[untyped-decorator]
def settle_moves() -> int:
    """Follow the changes of moves of which nobody was told."""
    return settling.settle_open()
