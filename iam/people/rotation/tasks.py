"""The Celery tasks of rotations."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from iam.people.rotation import reconcile
from iam.people.rotation.requests import REQUEST_BATCH, ROTATION
from iam.people.rotation.services import CHECK_USAGE
from iam.schedule import every


@shared_task(name="iam.people.rotation.tasks.reconcile_rotations")  # type: ignore[untyped-decorator]
@every(60)
def reconcile_rotations() -> int:
    """Continue work of lost processes, and do what is due."""
    return ROTATION.resume() + reconcile.reconcile_open()


@shared_task(name=REQUEST_BATCH)  # type: ignore[untyped-decorator]
def request_batch(run_id: str) -> None:
    """Request many rotations."""
    ROTATION.request_by_id(UUID(run_id))


@shared_task(name=CHECK_USAGE)  # type: ignore[untyped-decorator]
def check_usage(rotation_id: str) -> None:
    """Check the use of a rotation's keys in AWS, and decide what waits for it."""
    reconcile.check_usage(UUID(rotation_id))
