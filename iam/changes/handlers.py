"""What a higher layer wants to know of changes: it registers a handler in its `AppConfig.ready`, and is told
when one ends.

A handler is told after the end is written, in the process that wrote it, and perhaps twice or (when that
process dies) never: it must do no harm the second time, and anyone who must not miss anything looks for it
periodically as well.
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
"""Of so many who asks tells by themselves: the next page shows what follows."""
BATCH_SIZE: Final = 100


def on_end(handler: Handler) -> Handler:
    """Tell this handler of every change that comes to an end: applied, failed, unknown, rejected, withdrawn
    or expired.
    """
    if handler not in _on_end:
        _on_end.append(handler)
    return handler


def tell_end_after_commit(change: Change) -> None:
    """Tell all handlers when the caller's transaction is written."""
    for handler in _on_end:
        transaction.on_commit(partial(_call_handler, handler, change), robust=True)


def tell_ends_after_commit(changes: Sequence[Change]) -> None:
    """The same for several; of many, a worker tells, and this process where no broker takes it."""
    if len(changes) <= MAX_HANDLED_AT_ONCE:
        for change in changes:
            tell_end_after_commit(change)
        return
    for batch in batches(changes, BATCH_SIZE):
        transaction.on_commit(partial(_tell_by_worker, batch), robust=True)


def tell_ends(ids: Sequence[UUID]) -> None:
    """Tell all handlers of changes that have ended."""
    for change in Change.objects.filter(pk__in=ids).select_related("account", "change_set"):
        tell_end(change)


def tell_end(change: Change) -> None:
    """Tell all handlers."""
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
        # What a handler misses it finds by itself; the change has ended whatever comes of it.
        logger.exception("changes.handler_failed", change=str(change.pk))
