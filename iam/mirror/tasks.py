"""The Celery tasks of the mirror. Each takes at most an id and calls one service."""

from __future__ import annotations

from uuid import UUID

import structlog
from celery import shared_task

from iam.mirror import services
from iam.mirror.models import Pull
from iam.mirror.snapshot import images
from iam.schedule import every

log = structlog.get_logger(__name__)


@shared_task(name="iam.mirror.tasks.run_pull")  # type: ignore[untyped-decorator]
def run_pull(pull_id: str) -> None:
    """Run a queued pull. A missing one belongs to a database that was since replaced by a backup."""
    try:
        services.run_pull(UUID(pull_id))
    except Pull.DoesNotExist:
        log.warning("pull_unknown", pull=pull_id)


@shared_task(name="iam.mirror.tasks.pull_due_accounts")  # type: ignore[untyped-decorator]
@every(15)
def pull_due_accounts() -> None:
    """Queue the pulls that are due."""
    services.pull_due_accounts()


@shared_task(name="iam.mirror.tasks.draw_images")  # type: ignore[untyped-decorator]
@every(30)
def draw_images() -> int:
    """Draw the images of accounts that were written to, from which new processes load their index. Returns
    how many.
    """
    return images.draw_images()
