"""Queues jobs for a worker: its identity, the accounts of an organization, the import of an upload."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from django.db import transaction

from iam.journal.services import record
from iam.mirror.accounts import uploads
from iam.mirror.accounts.actors import Actor, must_manage, person_of
from iam.mirror.accounts.prepare import new_external_id
from iam.mirror.accounts.validation import SetupError
from iam.mirror.accounts.worker_jobs import nudge_on_commit
from iam.mirror.models.accounts import Account, AccountSource
from iam.mirror.models.setup import JobState, SetupJob, SetupKind

ALL_ACCOUNTS = ""

DISK_FULL = (
    "The server’s disk is full, so the file wasn’t saved. Ask its operator to free space, then upload it "
    "again."
)


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """An uploaded file: its name in the browser, for display only, and its bytes in chunks."""

    file_name: str
    chunks: Iterable[bytes]


@transaction.atomic
def request_identity(*, actor: Actor, fresh_for: timedelta = timedelta(minutes=2)) -> SetupJob:
    """Request the worker's identity. A job that is at most `fresh_for` old is reused."""
    recent = SetupJob.objects.filter(
        kind=SetupKind.IDENTITY, created_at__gt=datetime.now(tz=UTC) - fresh_for
    ).exclude(state=JobState.FAILED)
    job = recent.order_by("-created_at").first()
    if job is None:
        job = SetupJob.objects.create(kind=SetupKind.IDENTITY, requested_by=person_of(actor))
        nudge_on_commit(job)
    return job


@transaction.atomic
def request_discovery(account: Account | None, *, actor: Actor) -> SetupJob:
    """Request the accounts of the organization, through a connected account or (None) with the worker's own
    credentials.
    """
    must_manage(actor, account_id=ALL_ACCOUNTS)
    if account and account.source == AccountSource.EXPORT:
        raise SetupError("This account comes from an uploaded file, so Gatehouse can’t call AWS for it.")
    through, number = "the worker’s own credentials", ""
    if account:
        through, number = account.name, account.account_id
    job = SetupJob.objects.create(
        kind=SetupKind.DISCOVER,
        requested_by=person_of(actor),
        params={"account": number, "external_id": _kept_external_id()},
    )
    record(
        kind="organization.discover",
        actor=actor,
        subject=through,
        account_id=number,
    )
    nudge_on_commit(job)
    return job


def _kept_external_id() -> str:
    """Return the external ID that earlier discoveries suggested, because the trust policies of a StackSet may
    already contain it.
    """
    earlier = SetupJob.objects.filter(kind=SetupKind.DISCOVER).order_by("-created_at").first()
    return str(earlier.params.get("external_id") or new_external_id()) if earlier else new_external_id()


def request_import(
    export: UploadedFile,
    *,
    actor: Actor,
    report: UploadedFile | None = None,
    name: str = "",
    observed_at: datetime | None = None,
    accept_loss: bool = False,
) -> SetupJob:
    """Store the files where only a worker of this installation reads them, and request their import.

    Only the file tells which account it is for, so the right to manage that account is checked again when it
    is parsed.
    """
    if observed_at and observed_at > datetime.now(tz=UTC):
        raise SetupError("The date is in the future. Enter when the export was created.", field="observed_at")
    job = SetupJob(id=uuid4(), kind=SetupKind.IMPORT, requested_by=person_of(actor))
    try:
        size = uploads.store(job.id, export.chunks, part=uploads.EXPORT)
        if report:
            size += uploads.store(job.id, report.chunks, part=uploads.REPORT)
        job.params = {
            "export": export.file_name[:200],
            "report": report.file_name[:200] if report else "",
            "name": name,
            "size": size,
            "observed_at": observed_at.isoformat() if observed_at else "",
            "accept_loss": accept_loss,
        }
        with transaction.atomic():
            job.save(force_insert=True)
            record(
                kind="account.upload",
                actor=actor,
                subject=job.params["export"],
                data={"bytes": size, "with_report": report is not None},
            )
            nudge_on_commit(job)
    except BaseException as error:
        uploads.remove(job.id)
        if isinstance(error, OSError) and uploads.is_disk_full(error):
            raise SetupError(DISK_FULL, field="export") from error
        raise
    return job
