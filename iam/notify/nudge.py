"""Wake a worker for messages. A nudge that is lost costs ten seconds: the sweep finds every row that is
due.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import UUID

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = structlog.get_logger(__name__)
TASK = "iam.notify.tasks.deliver"
MOST = 20
"""More than these are left to the sweep, so that nobody's click waits for the broker."""


def after_commit(ids: Sequence[UUID]) -> None:
    """Nudge when the caller's transaction is written; at once when there is none."""
    if ids:
        transaction.on_commit(partial(_send_all, list(ids[:MOST])), robust=True)


def send(outgoing_id: UUID) -> bool:
    """Put the id into the queue; False when the broker does not answer, which only delays."""
    try:
        current_app.send_task(TASK, args=[str(outgoing_id)], retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        logger.warning("notify.nudge_failed", outgoing=str(outgoing_id), error=str(error))
        return False
    return True


def _send_all(ids: list[UUID]) -> None:
    for message_id in ids:
        if not send(message_id):
            return
