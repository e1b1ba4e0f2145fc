"""Tell a worker that a grant is to be prepared; where no broker is there, the sweep finds it by itself."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = structlog.get_logger(__name__)
TASK = "iam.access.grants.tasks.prepare_grant"


def prepare_after_commit(grant_id: UUID) -> None:
    """A hint when the caller's transaction is written, no promise: the row says what is to be done."""
    transaction.on_commit(partial(send, grant_id), robust=True)


def send(grant_id: UUID) -> None:
    """Put the id into the queue."""
    try:
        current_app.send_task(TASK, args=[str(grant_id)], retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        logger.warning("grants.nudge_failed", grant=str(grant_id), error=str(error))
