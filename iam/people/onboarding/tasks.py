"""The Celery tasks of onboarding."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from iam.people.onboarding import invitation, reconcile
from iam.people.onboarding.models import OnboardingRun
from iam.people.onboarding.services import ONBOARDING, REQUEST_RUN
from iam.people.runs import drafts
from iam.schedule import DAYS, HOURS, every


@shared_task(name="iam.people.onboarding.tasks.reconcile_runs")  # type: ignore[untyped-decorator]
@every(20)
def reconcile_runs() -> int:
    """Close invitations that no longer work, continue runs whose process was lost, and reconcile those that
    missed the end of a change.
    """
    invitation.close_invitations()
    return ONBOARDING.resume() + reconcile.reconcile_open()


@shared_task(name="iam.people.onboarding.tasks.delete_old_drafts")  # type: ignore[untyped-decorator]
@every(DAYS, expires=HOURS)
def delete_old_drafts() -> int:
    """Delete abandoned drafts."""
    return drafts.delete_old_drafts(OnboardingRun)


@shared_task(name=REQUEST_RUN)  # type: ignore[untyped-decorator]
def request_run(run_id: str) -> None:
    """Request a run of many people."""
    ONBOARDING.request_by_id(UUID(run_id))
