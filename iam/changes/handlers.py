"""Lets higher layers register handlers, in `AppConfig.ready`, that run when a change ends.

Handlers run after the end is committed, in the process that wrote it. They may run twice, or not at all if
that process dies. So they must be idempotent, and must be backed by a periodic check if nothing may be
missed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction

from iam import nudge
from iam.batches import batches
from iam.changes.models import Change

logger = structlog.get_logger(__name__)
Handler = Callable[[Change], None]
NOTIFY_ENDED: Final = "iam.changes.tasks.notify_ended"
_on_end: list[Handler] = []
MAX_HANDLED_AT_ONCE: Final = 20
"""Up to this many ended changes are handled by the process itself, so that the next page shows the effect."""
BATCH_SIZE: Final = 100


def on_end(handler: Handler) -> Handler:
    """Register a handler for changes that end: applied, failed, unknown, rejected, withdrawn or expired."""
    if handler not in _on_end:
        _on_end.append(handler)
    return handler


def tell_end_after_commit(change: Change) -> None:
    """Run all handlers once the caller's transaction commits."""
    for handler in _on_end:
        transaction.on_commit(partial(_call_handler, handler, change), robust=True)


def tell_ends_after_commit(changes: Sequence[Change]) -> None:
    """Run all handlers for several changes after commit; for many, in a worker, or here if there is no
    broker.
    """
    if len(changes) <= MAX_HANDLED_AT_ONCE:
        for change in changes:
            tell_end_after_commit(change)
        return
    for batch in batches(changes, BATCH_SIZE):
        transaction.on_commit(partial(_tell_by_worker, batch), robust=True)


def tell_ends(ids: Sequence[UUID]) -> None:
    """Run all handlers for changes that have ended."""
    for change in Change.objects.filter(pk__in=ids).prefetch_related("account", "change_set"):
        tell_end(change)


def tell_end(change: Change) -> None:
    """Run all handlers for one change."""
    for handler in _on_end:
        _call_handler(handler, change)


def _tell_by_worker(changes: Sequence[Change]) -> None:
    if not nudge.send(NOTIFY_ENDED, [str(change.pk) for change in changes]):
        for change in changes:
            tell_end(change)


def _call_handler(handler: Handler, change: Change) -> None:
    try:
        handler(change)
    except Exception:
        # A failing handler must not affect the ended change; a periodic check catches up.
        logger.exception("changes.handler_failed", change=str(change.pk))
