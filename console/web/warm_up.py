"""What is done before anybody asks. The process that web processes are forked from loads the code of all
pages, and what workers have drawn of the index; each of them reads the rest beside the first requests.
Escalation is not among it: workers calculate it.
"""

from __future__ import annotations

from threading import Thread
from typing import Final

import structlog
from django.db import connections
from django.urls import get_resolver

from iam.mirror.snapshot import read_images, snapshot

SECONDS_BEFORE_FORK: Final = 10.0
"""So long at most nobody is served because the index is read before the fork."""
logger = structlog.get_logger(__name__)


def load_pages() -> None:
    """Load the code of all pages, which Django does at the first request otherwise."""
    get_resolver().reverse_dict  # noqa: B018  (reading it loads them)


def read_images_ahead() -> None:
    """Read what workers have drawn of the index before web processes are forked, which share it and answer
    at once. What fails, or takes too long, is left to them.
    """
    try:
        read_images(SECONDS_BEFORE_FORK)
    except Exception:
        logger.exception("index.not_read_before_fork")
    finally:
        # A connection must not be shared.
        connections.close_all()


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
