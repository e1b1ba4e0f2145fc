"""Answers 503 with a clear message while the database is unreachable, instead of an error page."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader

logger = structlog.get_logger(__name__)
RETRY_SECONDS = 10
LEAVE_ALONE = 2.0
"""Seconds during which a process doesn’t try again; otherwise each visitor would block a thread until the
attempt times out.
"""
# SQLSTATE classes: connection, resources (too many connections, full disk), operator intervention (shutdown,
# starting up). https://www.postgresql.org/docs/current/errcodes-appendix.html
POSTGRESQL = ("08", "53", "57P")
SQLITE = ("unable to open database file", "database is locked", "database or disk is full", "disk I/O error")


def is_database_away(error: BaseException | None) -> bool:
    """Return whether the error or one of its causes says that the database is unavailable.

    An invalid query is a bug and doesn’t count.
    """
    return any(_is_away(cause) for cause in _causes(error))


def error_500(request: HttpRequest) -> HttpResponse:
    """Handle an uncaught exception: 503 if the database is unavailable, else 500."""
    if not is_database_away(sys.exc_info()[1]):
        return _bug()
    _break.begin()
    logger.warning("database.unavailable", path=request.path)
    return unavailable()


def _bug() -> HttpResponse:
    """Return the 500 page with the request ID, by which its log lines can be found."""
    number = structlog.contextvars.get_contextvars().get("request_id", "")
    html = loader.get_template("500.html").render({"request_id": number})
    return HttpResponse(html, status=500)


def unavailable() -> HttpResponse:
    """Return the 503 page, which needs no query."""
    response = HttpResponse(loader.get_template("503.html").render(), status=503)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


class LeaveAlone:
    """Answers 503 at once if another request of this process has just found the database unreachable."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return unavailable() if _break.is_fresh() else self.get_response(request)


class _Outage:
    """Remembers when this process last found the database unreachable.

    Only used by the web server with PostgreSQL; elsewhere no request waits for a connection.
    """

    def __init__(self) -> None:
        self.is_used = False
        self.until = 0.0

    def begin(self) -> None:
        """Pause attempts for a moment."""
        if self.is_used:
            self.until = time.monotonic() + LEAVE_ALONE

    def is_fresh(self) -> bool:
        """Return whether the outage was noticed a moment ago."""
        return time.monotonic() < self.until


_break = _Outage()


def leave_alone_after_outages() -> None:
    """Let this process pause its attempts after each outage."""
    _break.is_used = True


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
    # psycopg raises errors without a code if the server did not answer.
    return cause.sqlstate is None or str(cause.sqlstate).startswith(POSTGRESQL)
