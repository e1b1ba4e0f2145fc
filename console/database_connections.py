"""What Gatehouse does otherwise than Django on connections to PostgreSQL, because every page pays for it."""

from __future__ import annotations

import select
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from time import monotonic
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest
from django.http.response import HttpResponseBase

RECENT: Final = timedelta(seconds=10)


class RecentConnection:
    """Middleware that leaves out the check of a connection by a statement, if the connection was used
    recently and its server has sent nothing since, such as that it stops.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        _trust_if_recent(connections[DEFAULT_DB_ALIAS])
        return self._get_response(request)


def _trust_if_recent(database: Any) -> None:
    if database.vendor != "postgresql" or database.connection is None:
        return
    now = monotonic()
    used_at = getattr(database, _USED_AT, None)
    setattr(database, _USED_AT, now)
    if used_at is not None and now - used_at < RECENT.total_seconds() and _is_silent(database.connection):
        database.health_check_done = True


_USED_AT: Final = "gatehouse_used_at"


def _is_silent(connection: Any) -> bool:
    """Return False if there is something to read: between statements, only the end of the connection and its
    reason.
    """
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


def read_times_quickly(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Receive Django's signal that a connection was created. Times are read by Python's own parser, which is
    in C: psycopg's, and Django's change of its time zone, take four times as long, and a page of accounts has
    a thousand times.
    """
    database: Any = connection
    if database.vendor == "postgresql" and database.timezone == UTC:
        database.connection.adapters.register_loader("timestamptz", _loader())


@cache
def _loader() -> Any:
    """Return the loader. The driver is imported when needed, because it takes 12 MB per process."""
    from psycopg.types.datetime import TimestamptzLoader

    class UtcTimeLoader(TimestamptzLoader):
        timezone = UTC
        """Django registers a loader of its own where this isn't the connection's time zone."""

        def load(self, data: Any) -> datetime:
            try:
                return datetime.fromisoformat(str(data, "ascii"))
            except ValueError:
                # An infinite time, or one of a year that Python doesn't have: the driver's own error.
                return super().load(data).replace(tzinfo=UTC)

    return UtcTimeLoader
