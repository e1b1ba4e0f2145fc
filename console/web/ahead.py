"""What a web process reads before anybody asks: the index. Escalation waits until somebody asks, since it
takes the process for most of a minute.
"""

from __future__ import annotations

from threading import Thread

import structlog
from django.db import connections

from iam.mirror.snapshot import snapshot

logger = structlog.get_logger(__name__)


def read_ahead() -> Thread:
    """Begin to read beside the first requests; who asks meanwhile waits for the rest. What fails is tried
    again by who asks next.
    """
    thread = Thread(target=_read, name="read-ahead", daemon=True)
    thread.start()
    return thread


def _read() -> None:
    try:
        with snapshot():
            pass
    except Exception:
        logger.exception("index.not_read_ahead")
    finally:
        connections.close_all()
