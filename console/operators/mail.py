"""Mail about sign-ins: handed over apart from the request, whose answer neither waits for it nor fails with
it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from threading import Thread

import structlog
from django.conf import settings
from django.db import connections

logger = structlog.get_logger(__name__)


def hand_over(send: Callable[[], object]) -> None:
    """Render and send a mail in a thread of its own (settings.MAIL_IN_BACKGROUND), or else at once.

    How long a mail server takes would tell who asks for a password whether the address is known. A mail that
    cannot be sent is logged: what it tells of has happened.
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
