"""How a worker claims, keeps and ends a job row, and how Celery is notified of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from celery import Task
from django.db import models
from django.db.models import F, Q

from iam import nudge
from iam.mirror.models.setup import DoctorRun, JobState, SetupJob, WorkerJob

LEASE = timedelta(minutes=3)
ATTEMPTS = 3
GAVE_UP = (
    "Gatehouse couldn’t finish this. See the worker’s log for the reason. Nothing was changed in AWS. Try "
    "again."
)
T = TypeVar("T", bound=WorkerJob)
TASKS: dict[type[WorkerJob], str] = {
    SetupJob: "iam.mirror.accounts.tasks.run_setup_job",
    DoctorRun: "iam.mirror.doctor.tasks.examine_account",
}


class EndsItsRow(Task):  # type: ignore[misc]
    """A task that ends its row even if it fails with an exception, so that no one waits for it. `row_model`
    is the table.
    """

    row_model: type[WorkerJob]

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        """End the row. Celery logs the exception."""
        give_up(self.row_model, str(args[0]))


def nudge_on_commit(job: WorkerJob) -> None:
    """Notify Celery after the commit, when the worker can see the row."""
    nudge.send_after_commit(TASKS[type(job)], job.pk)


def claim(model: type[T], job_id: UUID | str, *, lease: timedelta = LEASE) -> T | None:
    """Claim the row until the lease ends and return it, or None if another worker has it or it is final."""
    now = datetime.now(tz=UTC)
    free = Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, lease_until__lt=now)
    rows = model._default_manager.filter(free, pk=job_id, attempts__lt=ATTEMPTS)
    taken = rows.update(
        state=JobState.RUNNING, began_at=now, lease_until=now + lease, attempts=F("attempts") + 1
    )
    return model._default_manager.get(pk=job_id) if taken else None


def report_progress(
    job: WorkerJob, *, phase: str, done: int = 0, total: int = 0, lease: timedelta = LEASE
) -> None:
    """Update the progress of a job and extend its lease."""
    job.phase, job.done, job.total = phase[:64], done, total
    job.lease_until = datetime.now(tz=UTC) + lease
    _running(job).update(phase=job.phase, done=done, total=total, lease_until=job.lease_until)


def end(job: WorkerJob, *, state: JobState, message: str = "", **fields: object) -> bool:
    """Write the result of a job. Returns False if it was no longer running."""
    changes = {"state": state, "message": message[:2048], "ended_at": datetime.now(tz=UTC), "phase": ""}
    updated = _running(job).update(**changes, **fields)
    job.refresh_from_db()
    return bool(updated)


def give_up(model: type[WorkerJob], job_id: str) -> None:
    """End a row whose task failed with an exception."""
    model._default_manager.filter(pk=job_id, state=JobState.RUNNING).update(
        state=JobState.FAILED, message=GAVE_UP, ended_at=datetime.now(tz=UTC), phase=""
    )


def sweep(model: type[WorkerJob], *, older_than: timedelta = timedelta(seconds=10)) -> int:
    """Notify Celery again of waiting or abandoned jobs, and end those that failed too often. Returns how many
    were notified.
    """
    now = datetime.now(tz=UTC)
    left = Q(state=JobState.RUNNING, lease_until__lt=now)
    model._default_manager.filter(left, attempts__gte=ATTEMPTS).update(
        state=JobState.FAILED, message=GAVE_UP, ended_at=now, phase=""
    )
    waiting = Q(state=JobState.QUEUED, created_at__lt=now - older_than)
    due = list(model._default_manager.filter(left | waiting).order_by("created_at")[:50])
    for job in due:
        nudge.send(TASKS[type(job)], job.pk)
    return len(due)


def _running(job: WorkerJob) -> models.QuerySet[WorkerJob]:
    return type(job)._default_manager.filter(pk=job.pk, state=JobState.RUNNING)
