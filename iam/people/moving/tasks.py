"""The Celery tasks of moving."""

from __future__ import annotations

from iam.people.moving import reconcile
from iam.people.runs.task_names import run_task
from iam.schedule import every


@run_task("iam.people.moving.tasks.reconcile_moves", former="iam.people.moving.tasks.settle_moves")
@every(20)
def reconcile_moves() -> int:
    """Reconcile moves that missed the end of a change."""
    return reconcile.reconcile_open()
