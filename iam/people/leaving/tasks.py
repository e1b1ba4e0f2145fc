"""The Celery tasks of leaving."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from iam.people.leaving import afterwards, returning_again, services, settling, staging
from iam.people.leaving.models import Run, RunState


@shared_task(name="iam.people.leaving.tasks.tend_leavers")  # type: ignore[untyped-decorator]
def tend_leavers() -> int:
    """Go on with what a lost process has left: asking, following, reading AWS again, sending links; ask for
    deletions that are due.
    """
    settled = services.ask_open() + settling.settle_open() + returning_again.settle_passwords()
    return settled + afterwards.ask_due_deletions()


@shared_task(name="iam.people.leaving.tasks.drop_leaving_drafts")  # type: ignore[untyped-decorator]
def drop_leaving_drafts() -> int:
    """Forget drafts that nobody went on with."""
    return staging.drop_drafts()


@shared_task(name="iam.people.leaving.tasks.ask_run")  # type: ignore[untyped-decorator]
def ask_run(run_id: str) -> None:
    """Ask for a run of many people."""
    run = Run.objects.filter(pk=UUID(run_id), state=RunState.ASKING).first()
    if run is not None:
        services.ask(run)


@shared_task(name="iam.people.leaving.tasks.prove_seat")  # type: ignore[untyped-decorator]
def prove_seat(seat_id: str) -> None:
    """Read AWS again for one user who leaves."""
    settling.prove(UUID(seat_id))
