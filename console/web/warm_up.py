"""Loads code and data before the first requests.

The process from which web processes are forked loads the code of all pages and the parts of the index that
workers have stored; each web process loads the rest alongside its first requests. Escalation paths aren’t
part of it, because workers calculate them.
"""

from __future__ import annotations

from threading import Thread
from typing import Final

import structlog
from django.db import connections
from django.urls import get_resolver

from iam.mirror.snapshot import read_images, snapshot

SECONDS_BEFORE_FORK: Final = 30.0
"""Maximum time that reading the index can delay the fork, and so the first request. The index of a million
users takes 8 to 14 s. What isn't read by then, each web process reads again, while questions wait for it.
"""
logger = structlog.get_logger(__name__)


def load_pages() -> None:
    """Load the code of all pages, which Django otherwise does at the first request."""
    get_resolver().reverse_dict  # noqa: B018  (reading it loads them)


def read_images_ahead() -> None:
    """Load the stored index before the fork, so that all web processes share it and answer at once.

    If this fails or takes too long, each web process loads the index.
    """
    try:
        read_images(SECONDS_BEFORE_FORK)
    except Exception:
        logger.exception("index.not_read_before_fork")
    finally:
        # Processes must not share a connection.
        connections.close_all()


def read_ahead() -> Thread:
    """Start to load the index in a thread; requests that need it meanwhile wait for the rest.

    If it fails, the next request that needs it tries again.
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
