"""What a higher layer wants to know of changes: it registers a handler in its `AppConfig.ready`, and is told when one ends.

A handler is told after the end is written, in the process that wrote it, and perhaps twice or (when that process dies) never: it must do
no harm the second time, and whoever must not miss anything looks for it periodically as well.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog
from django.db import transaction

from iam.changes.models import Change

logger = structlog.get_logger(__name__)
Handler = Callable[[Change], None]
_on_end: list[Handler] = []


def on_end(handler: Handler) -> Handler:
    """Tell this handler of every change that comes to an end: applied, failed, unknown, rejected, withdrawn or expired."""
    if handler not in _on_end:
        _on_end.append(handler)
    return handler


def tell_end_after_commit(change: Change) -> None:
    """Tell all handlers when the caller's transaction is written."""
    for handler in _on_end:
        transaction.on_commit(partial(_tell, handler, change), robust=True)


def _tell(handler: Handler, change: Change) -> None:
    try:
        handler(change)
    except Exception:
        # What a handler misses it finds by itself; the change has ended whatever comes of it.
        logger.exception("changes.handler_failed", change=str(change.pk))
