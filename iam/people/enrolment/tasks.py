"""The Celery task of enrollments."""

from __future__ import annotations

from celery import shared_task

from iam.people.enrolment import reconcile
from iam.schedule import every


@shared_task(name="iam.people.enrolment.tasks.reconcile_enrolments")  # type: ignore[untyped-decorator]
@every(20)
def reconcile_enrolments() -> None:
    """End enrollments that were not finished in time, and delete unused devices."""
    reconcile.reconcile_enrolments()
