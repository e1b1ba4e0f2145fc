"""Queries of the accounts pages for prepared connections and open jobs."""

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
    """Return the worker's newest identity job of the last day. Waiting and failed jobs are only included on
    request.
    """
    jobs = SetupJob.objects.filter(
        kind=SetupKind.IDENTITY, created_at__gt=datetime.now(tz=UTC) - IDENTITY_KEPT
    )
    if not include_failed:
        jobs = jobs.filter(state=JobState.DONE)
    return jobs.order_by("-created_at").first()


def own_drafts(viewer: Viewer) -> list[ConnectionDraft]:
    """Return the drafts of accounts that the viewer can manage."""
    drafts = ConnectionDraft.objects.order_by("-created_at")
    return [draft for draft in drafts if viewer.may(Right.MANAGE_ACCOUNTS, account_id=draft.account_id)]


def visible_job(viewer: Viewer, job_id: UUID) -> SetupJob | None:
    """Return a job that the viewer requested, or any job if they manage all accounts, or else None."""
    job = SetupJob.objects.filter(pk=job_id).first()
    if job is None or not viewer.may(Right.MANAGE_ACCOUNTS):
        return None
    own = job.requested_by is not None and job.requested_by == viewer.person_id
    return job if own or viewer.may(Right.MANAGE_ACCOUNTS, account_id="") else None


def askable_accounts(viewer: Viewer) -> QuerySet[Account]:
    """Return the connected accounts through which an organization can be queried. They include a management
    account, if there is one.
    """
    accounts = Account.objects.filter(removed_at__isnull=True).exclude(source=AccountSource.EXPORT)
    if viewer.scope.accounts is not None:
        accounts = accounts.filter(account_id__in=viewer.scope.accounts)
    return accounts.order_by("name", "id")


def connected_numbers(numbers: list[str]) -> set[str]:
    """Return which of these accounts are connected. Those known only from an upload aren't included."""
    accounts = Account.objects.filter(account_id__in=numbers, removed_at__isnull=True)
    return set(accounts.exclude(source=AccountSource.EXPORT).values_list("account_id", flat=True))


def external_id_of_organization(job: SetupJob) -> str:
    """Return the external ID of connected accounts of this organization, or else the one that the discovery
    suggests.
    """
    accounts = Account.objects.filter(
        removed_at__isnull=True,
        source=AccountSource.ORGANIZATION,
        organization_id=job.result.get("organization_id", ""),
    )
    connected = accounts.exclude(external_id="").values_list("external_id", flat=True).first()
    return connected or str(job.params.get("external_id", ""))


def active_examination(account: Account) -> DoctorRun | None:
    """Return the open examination of an account, or None."""
    return DoctorRun.objects.filter(ACTIVE_JOB, account=account).first()
