"""The Celery tasks of examinations. Each takes an id and calls one service."""

from __future__ import annotations

from celery import shared_task

from iam.mirror.accounts.worker_jobs import EndsItsRow
from iam.mirror.doctor.run import run_examination
from iam.mirror.models.setup import DoctorRun


@shared_task(  # type: ignore[untyped-decorator]
    base=EndsItsRow, row_model=DoctorRun, name="iam.mirror.doctor.tasks.examine_account", soft_time_limit=600
)
def examine_account(run_id: str) -> None:
    """Run a queued examination."""
    run_examination(run_id)
