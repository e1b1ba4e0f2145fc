"""The Celery task of enrolments."""

from __future__ import annotations

from celery import shared_task

from iam.people.enrolment import reconcile
from iam.schedule import every


@shared_task(name="iam.people.enrolment.tasks.reconcile_enrolments")  # type: ignore[untyped-decorator]
@every(20)
def reconcile_enrolments() -> None:
    """End what was not finished in time, and delete what nobody got."""
    reconcile.reconcile_enrolments()
