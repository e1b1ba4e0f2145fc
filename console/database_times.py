"""Reads the times that PostgreSQL sends with Python's own parser, which is in C.

psycopg's loader and Django's change of its time zone take four times as long, and a page of accounts has a
thousand times.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def read_times_quickly(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Receive Django's signal that a connection was created."""
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
