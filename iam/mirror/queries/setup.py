"""What the accounts pages ask about work that is prepared or under way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from iam.guard import Right, Viewer
from iam.mirror.models import Account
from iam.mirror.models.accounts import AccountSource
from iam.mirror.models.setup import ACTIVE_JOB, ConnectionDraft, DoctorRun, JobState, SetupJob, SetupKind

IDENTITY_KEPT = timedelta(days=1)


def latest_identity(*, include_failed: bool = False) -> SetupJob | None:
    """The newest answer to the question whose credentials the worker has, of the last day; with those that
    wait or failed if asked.
    """
    jobs = SetupJob.objects.filter(
        kind=SetupKind.IDENTITY, created_at__gt=datetime.now(tz=UTC) - IDENTITY_KEPT
    )
    if not include_failed:
        jobs = jobs.filter(state=JobState.DONE)
    return jobs.order_by("-created_at").first()


def own_drafts(viewer: Viewer) -> list[ConnectionDraft]:
    """The prepared connections of accounts that the viewer may manage."""
    drafts = ConnectionDraft.objects.order_by("-created_at")
    return [draft for draft in drafts if viewer.may(Right.MANAGE_ACCOUNTS, account_id=draft.account_id)]


def visible_job(viewer: Viewer, job_id: UUID) -> SetupJob | None:
    """A job that the viewer asked for, or that somebody asked for and the viewer manages all accounts; else
    None.
    """
    job = SetupJob.objects.filter(pk=job_id).first()
    if job is None or not viewer.may(Right.MANAGE_ACCOUNTS):
        return None
    own = job.requested_by is not None and job.requested_by == viewer.person_id
    return job if own or viewer.may(Right.MANAGE_ACCOUNTS, account_id="") else None


def askable_accounts(viewer: Viewer) -> QuerySet[Account]:
    """The connected accounts through which an organization may be asked: a management account is one of them,
    if any is.
    """
    accounts = Account.objects.filter(removed_at__isnull=True).exclude(source=AccountSource.EXPORT)
    if viewer.scope.accounts is not None:
        accounts = accounts.filter(account_id__in=viewer.scope.accounts)
    return accounts.order_by("name", "id")


def connected_numbers(numbers: list[str]) -> set[str]:
    """Which of these accounts are reached already; those known from an upload only may still be connected."""
    accounts = Account.objects.filter(account_id__in=numbers, removed_at__isnull=True)
    return set(accounts.exclude(source=AccountSource.EXPORT).values_list("account_id", flat=True))


def external_id_of_organization(job: SetupJob) -> str:
    """The external id that accounts of this organization are connected with already, else the one that the
    discovery suggests.
    """
    accounts = Account.objects.filter(
        removed_at__isnull=True,
        source=AccountSource.ORGANIZATION,
        organization_id=job.result.get("organization_id", ""),
    )
    connected = accounts.exclude(external_id="").values_list("external_id", flat=True).first()
    return connected or str(job.params.get("external_id", ""))


def active_examination(account: Account) -> DoctorRun | None:
    """The examination of an account that waits or runs."""
    return DoctorRun.objects.filter(ACTIVE_JOB, account=account).first()
