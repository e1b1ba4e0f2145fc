"""Tell a worker what of a rotation is to be done; where no broker is there, the beat finds it by itself."""

from __future__ import annotations

from uuid import UUID

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

logger = structlog.get_logger(__name__)
PLACE = "iam.people.rotation.tasks"


def send(task: str, pk: UUID) -> None:
    """A hint, no promise: the rows say what is to be done."""
    try:
        current_app.send_task(f"{PLACE}.{task}", args=[str(pk)], retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        logger.warning("rotation.nudge_failed", task=task, pk=str(pk), error=str(error))
