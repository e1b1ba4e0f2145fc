"""The journal's clock is the database's: hosts differ, and one whose clock is ahead must not date entries after their blocks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from django.db import connection
from django.db.models.functions import Now

ON_DATABASE: Final = {"postgresql"}
"""Where the clock is another one's. SQLite is in our process, and tests may turn its clock."""


def at_insert() -> datetime | Now:
    """What a row to be inserted gets as its moment: on PostgreSQL the expression `STATEMENT_TIMESTAMP()`, which needs no query of its own."""
    return Now() if connection.vendor in ON_DATABASE else datetime.now(tz=UTC)


def now() -> datetime:
    """This moment."""
    if connection.vendor not in ON_DATABASE:
        return datetime.now(tz=UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment
