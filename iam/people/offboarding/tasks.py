"""The Celery tasks of offboarding."""

from __future__ import annotations

from uuid import UUID

from iam.people.offboarding import afterwards, reconcile, returning_again
from iam.people.offboarding.models import PROVE_USER, REQUEST_RUN, OffboardingRun
from iam.people.offboarding.services import OFFBOARDING
from iam.people.runs import drafts
from iam.people.runs.task_names import run_task
from iam.schedule import DAYS, HOURS, every


@run_task("iam.people.offboarding.tasks.reconcile_runs", former="iam.people.leaving.tasks.tend_leavers")
@every(10)
def reconcile_runs() -> int:
    """Continue with what a lost process has left: requests, changes, checks of AWS and links. Request
    deletions that are due.
    """
    continued = OFFBOARDING.resume() + reconcile.reconcile_open() + returning_again.settle_passwords()
    return continued + afterwards.ask_due_deletions()


@run_task(
    "iam.people.offboarding.tasks.delete_old_drafts", former="iam.people.leaving.tasks.drop_leaving_drafts"
)
@every(DAYS, expires=HOURS)
def delete_old_drafts() -> int:
    """Delete abandoned drafts."""
    return drafts.delete_old_drafts(OffboardingRun)


@run_task(REQUEST_RUN, former="iam.people.leaving.tasks.ask_run")
def request_run(run_id: str) -> None:
    """Request a run of many people."""
    OFFBOARDING.request_by_id(UUID(run_id))


@run_task(PROVE_USER, former="iam.people.leaving.tasks.prove_seat")
def prove_user(user_id: str) -> None:
    """Check in AWS that a user has no access any more."""
    reconcile.prove(UUID(user_id))
