"""The page for the time in which the database cannot be reached: a 503 with a clear text instead of an error
of Gatehouse.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import structlog
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.http import HttpRequest, HttpResponse
from django.template import loader

logger = structlog.get_logger(__name__)
RETRY_SECONDS = 10
LEAVE_ALONE = 2.0
"""Seconds for which a process does not try again: else each visitor would hold a thread until the pool gives
up.
"""
# SQLSTATE classes: connection, resources (too many connections, full disk), operator intervention (shutdown,
# starting up). https://www.postgresql.org/docs/current/errcodes-appendix.html
POSTGRESQL = ("08", "53", "57P")
SQLITE = ("unable to open database file", "database is locked", "database or disk is full", "disk I/O error")


def is_database_away(error: BaseException | None) -> bool:
    """True if the error, or one that led to it, says that the database cannot serve now. A wrong query is a
    bug and not this.
    """
    return any(_is_away(cause) for cause in _causes(error))


def error_500(request: HttpRequest) -> HttpResponse:
    """Django's handler for whatever no page caught, called while the exception is handled."""
    if not is_database_away(sys.exc_info()[1]):
        return _bug()
    _break.begin()
    logger.warning("database.unavailable", path=request.path)
    return unavailable()


def _bug() -> HttpResponse:
    """The page, with the number by which the lines of the log about this request are found."""
    number = structlog.contextvars.get_contextvars().get("request_id", "")
    html = loader.get_template("500.html").render({"request_id": number})
    return HttpResponse(html, status=500)


def unavailable() -> HttpResponse:
    """The page, which asks the database nothing."""
    response = HttpResponse(loader.get_template("503.html").render(), status=503)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


class LeaveAlone:
    """Answers at once while a request of this process has just found the database away."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return unavailable() if _break.is_fresh() else self.get_response(request)


class _Outage:
    """When this process last found the database away. Only a pool of connections is worth it: without one
    nobody waits.
    """

    def __init__(self) -> None:
        self.until = 0.0

    def begin(self) -> None:
        """Have every pooled connection replaced before its next use, and nobody try for a moment."""
        pool = getattr(connections[DEFAULT_DB_ALIAS], "pool", None)
        if pool is not None and not pool.closed:
            pool.drain()
            self.until = time.monotonic() + LEAVE_ALONE

    def is_fresh(self) -> bool:
        """True for a moment after the break."""
        return time.monotonic() < self.until


_break = _Outage()


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _is_away(error: BaseException) -> bool:
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, OperationalError):
        return False
    cause: Any = error.__cause__
    if not hasattr(cause, "sqlstate"):
        return str(error).startswith(SQLITE)
    # Without a code nobody answered: psycopg says so itself.
    return cause.sqlstate is None or str(cause.sqlstate).startswith(POSTGRESQL)
