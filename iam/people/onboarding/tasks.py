"""The Celery tasks of onboarding."""

from __future__ import annotations

from uuid import UUID

from iam.people.onboarding import inviting, reconcile
from iam.people.onboarding.models import OnboardingRun
from iam.people.onboarding.services import ONBOARDING, REQUEST_RUN
from iam.people.runs import drafts
from iam.people.runs.task_names import run_task
from iam.schedule import DAYS, HOURS, every


@run_task("iam.people.onboarding.tasks.reconcile_runs", former="iam.people.onboarding.tasks.settle_runs")
@every(20)
def reconcile_runs() -> int:
    """Continue with runs whose process was lost, and reconcile those that missed the end of a change."""
    inviting.close_invitations()
    return ONBOARDING.resume() + reconcile.reconcile_open()


@run_task("iam.people.onboarding.tasks.delete_old_drafts", former="iam.people.onboarding.tasks.drop_drafts")
@every(DAYS, expires=HOURS)
def delete_old_drafts() -> int:
    """Delete abandoned drafts."""
    return drafts.delete_old_drafts(OnboardingRun)


@run_task(REQUEST_RUN, former="iam.people.onboarding.tasks.ask_run")
def request_run(run_id: str) -> None:
    """Request a run of many people."""
    ONBOARDING.request_by_id(UUID(run_id))
