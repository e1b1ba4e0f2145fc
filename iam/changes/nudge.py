"""Wake a worker for a change. A nudge that is lost costs ten seconds: the sweep finds every row that is
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

from iam.changes.models import Change

logger = structlog.get_logger(__name__)
TASK = "iam.changes.tasks.run_change"
ENDED = "iam.changes.tasks.tell_ended"


def after_commit(change: Change, *, delay: float = 0) -> None:
    """Nudge when the caller's transaction is written, after `delay` seconds; at once when there is none."""
    transaction.on_commit(partial(send, change.id, delay=delay), robust=True)


def send(change_id: UUID, *, delay: float = 0) -> bool:
    """Put the id into the queue; False when the broker does not answer, which only delays."""
    return _send(TASK, str(change_id), delay=delay)


def send_ended(change_ids: Sequence[UUID]) -> bool:
    """Have a worker tell what follows from these ends; False when the broker does not answer."""
    return _send(ENDED, [str(change_id) for change_id in change_ids])


def _send(task: str, what: str | list[str], *, delay: float = 0) -> bool:
    try:
        current_app.send_task(task, args=[what], countdown=delay or None, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        logger.warning("changes.nudge_failed", change=what, error=str(error))
        return False
    return True
