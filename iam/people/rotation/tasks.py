"""The Celery tasks of rotations."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from iam.people.rotation import asking, settling


@shared_task(name="iam.people.rotation.tasks.tend_rotations")  # type: ignore[untyped-decorator]
def tend_rotations() -> int:
    """Go on with what a lost process has left, and with what is due."""
    return asking.ask_open() + settling.tend()


@shared_task(name="iam.people.rotation.tasks.ask_batch")  # type: ignore[untyped-decorator]
def ask_batch(batch: str) -> None:
    """Ask for many at once."""
    asking.ask_batch(UUID(batch))


@shared_task(name="iam.people.rotation.tasks.look")  # type: ignore[untyped-decorator]
def look(rotation_id: str) -> None:
    """Ask AWS for the use of the keys of one rotation, and decide what waits for that."""
    settling.look(UUID(rotation_id))
