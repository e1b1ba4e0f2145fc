"""Celery tasks of access grants."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from iam.access.grants.services.cleanup_denies import tidy_denials
from iam.access.grants.services.expiry import close_overdue, end_due_grants
from iam.access.grants.services.large_requests import prepare, prepare_open
from iam.access.grants.services.notifications import warn_of_ends
from iam.access.grants.services.reconcile import settle_open
from iam.schedule import HOURS, every


@shared_task(name="iam.access.grants.tasks.reconcile_grants")  # type: ignore[untyped-decorator]
@every(10)
def reconcile_grants() -> None:
    """Update grants from their changes, end expired ones and warn of coming end dates."""
    settle_open()
    close_overdue()
    end_due_grants()
    warn_of_ends()


@shared_task(name="iam.access.grants.tasks.clean_up_grants")  # type: ignore[untyped-decorator]
@every(HOURS)
def clean_up_grants() -> None:
    """Remove deny policies that are no longer needed."""
    tidy_denials()


@shared_task(name="iam.access.grants.tasks.prepare_grant")  # type: ignore[untyped-decorator]
def prepare_grant(grant_id: str) -> None:
    """Plan and request a large grant that was submitted."""
    prepare(UUID(grant_id))


@shared_task(name="iam.access.grants.tasks.prepare_grants")  # type: ignore[untyped-decorator]
@every(10)
def prepare_grants() -> None:
    """Prepare large grants whose worker was lost."""
    prepare_open()
