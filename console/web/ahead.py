"""What a web process reads before anybody asks: the index, and the paths of privilege escalation."""

from __future__ import annotations

from contextlib import suppress
from threading import Thread

import structlog
from django.db import connections

from iam.access.escalation_graph import BeingCalculatedError, escalation_at
from iam.mirror.snapshot import snapshot

logger = structlog.get_logger(__name__)


def read_ahead() -> Thread:
    """Begin to read beside the first requests; who asks meanwhile waits for the rest. What fails is tried again by who asks next."""
    thread = Thread(target=_read, name="read-ahead", daemon=True)
    thread.start()
    return thread


def _read() -> None:
    try:
        with snapshot():
            pass
        with suppress(BeingCalculatedError):
            escalation_at(None)
    except Exception:
        logger.exception("index.not_read_ahead")
    finally:
        connections.close_all()
