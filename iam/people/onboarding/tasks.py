"""The Celery tasks of onboarding."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from iam.people.onboarding import inviting, services, settling, staging
from iam.people.onboarding.models import Run, RunState


@shared_task(name="iam.people.onboarding.tasks.settle_runs")  # type: ignore[untyped-decorator]
def settle_runs() -> int:
    """Follow the changes of runs of which nobody was told, and go on with asking where a process was lost."""
    inviting.close_invitations()
    return services.ask_open() + settling.settle_open()


@shared_task(name="iam.people.onboarding.tasks.drop_drafts")  # type: ignore[untyped-decorator]
def drop_drafts() -> int:
    """Forget drafts that nobody went on with."""
    return staging.drop_drafts()


@shared_task(name="iam.people.onboarding.tasks.ask_run")  # type: ignore[untyped-decorator]
def ask_run(run_id: str) -> None:
    """Ask for a run of many people."""
    run = Run.objects.filter(pk=UUID(run_id), state=RunState.ASKING).first()
    if run is not None:
        services.ask(run)
