"""Wake a worker for a change. A nudge that is lost costs ten seconds: the sweep finds every row that is due."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from iam.changes.models import Change

logger = structlog.get_logger(__name__)
TASK = "iam.changes.tasks.run_change"


def after_commit(change: Change, *, delay: float = 0) -> None:
    """Nudge when the caller's transaction is written, after `delay` seconds; at once when there is none."""
    transaction.on_commit(partial(send, change.id, delay=delay), robust=True)


def send(change_id: UUID, *, delay: float = 0) -> bool:
    """Put the id into the queue; False when the broker does not answer, which only delays."""
    try:
        current_app.send_task(
            TASK, args=[str(change_id)], countdown=delay or None, retry=False, ignore_result=True
        )
    except (OperationalError, OSError) as error:
        logger.warning("changes.nudge_failed", change=str(change_id), error=str(error))
        return False
    return True
