"""The Celery tasks of rotations."""

from __future__ import annotations

from uuid import UUID

from iam.people.rotation import reconcile, requests
from iam.people.rotation.requests import REQUEST_BATCH
from iam.people.rotation.services import CHECK_USAGE
from iam.people.runs.task_names import run_task
from iam.schedule import every


@run_task("iam.people.rotation.tasks.reconcile_rotations", former="iam.people.rotation.tasks.tend_rotations")
@every(60)
def reconcile_rotations() -> int:
    """Continue with what a lost process has left, and with what is due."""
    return requests.request_open() + reconcile.reconcile_open()


@run_task(REQUEST_BATCH, former="iam.people.rotation.tasks.ask_batch")
def request_batch(batch: str) -> None:
    """Request many rotations."""
    requests.request_batch(UUID(batch))


@run_task(CHECK_USAGE, former="iam.people.rotation.tasks.look")
def check_usage(rotation_id: str) -> None:
    """Ask AWS for the use of the keys of one rotation, and decide what waits for that."""
    reconcile.check_usage(UUID(rotation_id))
