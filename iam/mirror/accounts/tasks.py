"""The Celery tasks of the accounts pages. Each takes at most an id and calls one service."""

from __future__ import annotations

from celery import shared_task

from iam.mirror.accounts.run_jobs import run_job, sweep_jobs
from iam.mirror.accounts.worker_jobs import EndsItsRow
from iam.mirror.models.setup import SetupJob
from iam.schedule import every


@shared_task(  # type: ignore[untyped-decorator]
    base=EndsItsRow,
    row_model=SetupJob,
    name="iam.mirror.accounts.tasks.run_setup_job",
    soft_time_limit=1500,
)
def run_setup_job(job_id: str) -> None:
    """Run a queued job."""
    run_job(job_id)


@shared_task(name="iam.mirror.accounts.tasks.sweep_setup_jobs")  # type: ignore[untyped-decorator]
@every(15)
def sweep_setup_jobs() -> None:
    """Queue lost jobs again, end those that failed too often, and remove unused files."""
    sweep_jobs()
