"""The Celery tasks of moving."""

from __future__ import annotations

from celery import shared_task

from iam.people.moving import reconcile
from iam.schedule import every


@shared_task(name="iam.people.moving.tasks.reconcile_moves")  # type: ignore[untyped-decorator]
@every(20)
def reconcile_moves() -> int:
    """Reconcile moves that missed the end of a change."""
    return reconcile.reconcile_open()
