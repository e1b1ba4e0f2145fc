"""Sends mail about sign-ins in the background, so that a response neither waits for it nor fails with it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from threading import Thread

import structlog
from django.conf import settings
from django.db import connections

logger = structlog.get_logger(__name__)


def hand_over(send: Callable[[], object]) -> None:
    """Render and send a mail in a thread (settings.MAIL_IN_BACKGROUND), or at once.

    Otherwise the time of a password reset would reveal whether the address is known. A failure is only
    logged, because the reported event has already happened.
    """
    if settings.MAIL_IN_BACKGROUND:
        Thread(target=copy_context().run, args=(_send_and_leave, send), name="mail").start()
    else:
        _send(send)


def _send(send: Callable[[], object]) -> None:
    try:
        send()
    except OSError as error:
        logger.error("mail.failed", error=type(error).__name__)


def _send_and_leave(send: Callable[[], object]) -> None:
    try:
        _send(send)
    finally:
        connections.close_all()
