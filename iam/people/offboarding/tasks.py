"""The Celery tasks of offboarding."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from iam.people.offboarding import reconcile, repeat_invitation, restore_and_delete
from iam.people.offboarding.models import PROVE_USER, REQUEST_RUN, OffboardingRun
from iam.people.offboarding.services import OFFBOARDING
from iam.people.runs import drafts
from iam.schedule import DAYS, HOURS, every


@shared_task(name="iam.people.offboarding.tasks.reconcile_runs")  # type: ignore[untyped-decorator]
@every(10)
def reconcile_runs() -> int:
    """Continue requests, changes, verifications and links of lost processes, and request due deletions."""
    continued = OFFBOARDING.resume() + reconcile.reconcile_open() + repeat_invitation.settle_passwords()
    return continued + restore_and_delete.ask_due_deletions()


@shared_task(name="iam.people.offboarding.tasks.delete_old_drafts")  # type: ignore[untyped-decorator]
@every(DAYS, expires=HOURS)
def delete_old_drafts() -> int:
    """Delete abandoned drafts."""
    return drafts.delete_old_drafts(OffboardingRun)


@shared_task(name=REQUEST_RUN)  # type: ignore[untyped-decorator]
def request_run(run_id: str) -> None:
    """Request a run of many people."""
    OFFBOARDING.request_by_id(UUID(run_id))


@shared_task(name=PROVE_USER)  # type: ignore[untyped-decorator]
def prove_user(user_id: str) -> None:
    """Verify in AWS that a user has no access any more."""
    reconcile.prove(UUID(user_id))
