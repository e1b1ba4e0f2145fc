"""The Celery tasks of onboarding."""

from __future__ import annotations

from celery import shared_task

from iam.people.onboarding import settling, staging


@shared_task(name="iam.people.onboarding.tasks.settle_runs")  # type: ignore[untyped-decorator]
def settle_runs() -> int:
    """Follow the changes of runs of which nobody was told."""
    return settling.settle_open()


@shared_task(name="iam.people.onboarding.tasks.drop_drafts")  # type: ignore[untyped-decorator]
def drop_drafts() -> int:
    """Forget drafts that nobody went on with."""
    return staging.drop_drafts()
