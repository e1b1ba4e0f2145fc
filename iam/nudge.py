"""Notifies workers of a task. A nudge is only a hint: the rows say what is to be done, and a periodic task
finds those whose nudge was lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from uuid import UUID

import structlog
from celery import current_app
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)


def send(task: str, *args: UUID | Sequence[str], delay: float = 0) -> bool:
    """Queue a task, to start after `delay` seconds. Returns False if the broker doesn't answer."""
    plain = [_plain(value) for value in args]
    try:
        current_app.send_task(task, args=plain, countdown=delay or None, retry=False, ignore_result=True)
    except (KombuError, OSError) as error:
        logger.warning("nudge_failed", task=task, args=plain, error=str(error))
        return False
    return True


def waiting() -> int:
    """Return the number of messages that no worker has taken yet; 0 if the broker doesn't answer."""
    try:
        with current_app.connection_for_write() as connection:
            queue = current_app.conf.task_default_queue
            # For Redis, declaring a queue only counts its messages.
            return int(connection.default_channel.queue_declare(queue=queue).message_count)
    except (KombuError, RedisError, OSError):
        return 0


def send_after_commit(task: str, pk: UUID, *, delay: float = 0) -> None:
    """Queue a task for a row when the caller's transaction commits, or at once if there is none."""
    transaction.on_commit(lambda: send(task, pk, delay=delay), robust=True)


def send_each(task: str, pks: Iterable[UUID]) -> int:
    """Queue a task for each row while the broker answers, and return how many were queued."""
    sent = 0
    for pk in pks:
        if not send(task, pk):
            break
        sent += 1
    return sent


def send_each_after_commit(task: str, pks: Sequence[UUID]) -> None:
    """Queue a task for each row when the caller's transaction commits."""
    if pks:
        transaction.on_commit(partial(send_each, task, pks), robust=True)


def send_seldom(task: str, *, seconds: int) -> None:
    """Queue a task at most once in `seconds`, for tasks that many pages request."""
    if cache.add(f"nudged:{task}", True, seconds):
        send(task)


def _plain(value: UUID | Sequence[str]) -> str | Sequence[str]:
    return str(value) if isinstance(value, UUID) else value
