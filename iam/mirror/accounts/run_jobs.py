"""Runs setup jobs in a worker, and cleans up abandoned ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from iam.directory.models import Person
from iam.guard import viewer_for
from iam.journal.services import COMMAND_LINE
from iam.mirror.accounts import uploads
from iam.mirror.accounts.actors import Actor
from iam.mirror.accounts.discover import discover, find_identity
from iam.mirror.accounts.import_export import ExportFiles, import_export
from iam.mirror.accounts.validation import SetupError
from iam.mirror.accounts.worker_jobs import LEASE, claim, end, report_progress, sweep
from iam.mirror.models import Account
from iam.mirror.models.setup import ACTIVE_JOB, ConnectionDraft, DoctorRun, JobState, SetupJob, SetupKind

IMPORT_LEASE = timedelta(minutes=30)
KEPT_FOR = timedelta(days=30)
_NO_FILE = (
    "The worker can’t find the uploaded file. Web processes and workers must share the folder in "
    "GATEHOUSE_VAR. Upload it again."
)


def run_job(job_id: UUID | str) -> SetupJob | None:
    """Run a queued job in this process. Returns None if another worker has it or it has ended.

    Problems that a person can fix end the job as failed, with a sentence. Other exceptions are logged, and
    the task ends the job.
    """
    kind = SetupJob.objects.filter(pk=job_id).values_list("kind", flat=True).first()
    lease = IMPORT_LEASE if kind == SetupKind.IMPORT else LEASE
    job = claim(SetupJob, job_id, lease=lease)
    if job is None:
        return None
    try:
        result = RUNNERS[job.kind](job)
    except SetupError as error:
        end(job, state=JobState.FAILED, message=error.message)
    else:
        end(job, state=JobState.DONE, result=result)
    finally:
        uploads.remove(job.pk)
    return job


def _identity(job: SetupJob) -> dict[str, Any]:
    identity = find_identity()
    ConnectionDraft.objects.filter(hub_arn="", partition=identity.partition).update(
        hub_arn=identity.principal
    )
    return asdict(identity)


def _discover(job: SetupJob) -> dict[str, Any]:
    number = job.params.get("account", "")
    account = Account.objects.filter(account_id=number, removed_at__isnull=True).first() if number else None
    if number and account is None:
        raise SetupError("The account used for discovery was disconnected in the meantime.")
    report_progress(job, phase="Listing the accounts of the organization")
    return discover(account).as_result()


def _import(job: SetupJob) -> dict[str, Any]:
    def on_phase(phase: str) -> None:
        report_progress(job, phase=phase, lease=IMPORT_LEASE)

    export = uploads.path_of(job.pk, part=uploads.EXPORT)
    report = uploads.path_of(job.pk, part=uploads.REPORT) if job.params.get("report") else None
    if not export.exists() or (report and not report.exists()):
        raise SetupError(_NO_FILE)
    made = job.params.get("observed_at", "")
    observed_at = datetime.fromisoformat(made) if made else None
    parts = ExportFiles(
        export=export,
        report=report,
        name=job.params.get("name", ""),
        observed_at=observed_at,
        accept_loss=bool(job.params.get("accept_loss")),
    )
    return import_export(parts, actor=actor_of(job), on_phase=on_phase).as_result()


RUNNERS: dict[str, Callable[[SetupJob], dict[str, Any]]] = {
    SetupKind.IDENTITY: _identity,
    SetupKind.DISCOVER: _discover,
    SetupKind.IMPORT: _import,
}


def actor_of(job: SetupJob) -> Actor:
    """Return the requester with their current rights. Raises SetupError if the person can no
    longer sign in.
    """
    if job.requested_by is None:
        return COMMAND_LINE
    person = Person.objects.filter(pk=job.requested_by, is_active=True).first()
    if person is None:
        raise SetupError("The person who uploaded this can no longer sign in.")
    return viewer_for(person)


def sweep_jobs() -> None:
    """Queue abandoned jobs again or end them, delete old jobs, and remove files without a job."""
    sweep(SetupJob)
    sweep(DoctorRun)
    old = datetime.now(tz=UTC) - KEPT_FOR
    SetupJob.objects.filter(created_at__lt=old).exclude(ACTIVE_JOB).delete()
    active = SetupJob.objects.filter(ACTIVE_JOB).values_list("id", flat=True)
    uploads.remove_stale(keep={str(key) for key in active})
