"""What a web process does before anybody asks: it loads the code of all pages, and reads the index beside the
first requests. Escalation waits until somebody asks, since it takes the process for most of a minute.
"""

from __future__ import annotations

from threading import Thread

import structlog
from django.db import connections
from django.urls import get_resolver

from iam.mirror.snapshot import snapshot

logger = structlog.get_logger(__name__)


def load_pages() -> None:
    """Load the code of all pages, which Django does at the first request otherwise."""
    get_resolver().reverse_dict  # noqa: B018  (reading it loads them)


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
