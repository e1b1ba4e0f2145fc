"""The journal's clock, which is the database's: a host whose clock is ahead must not date entries after their
blocks.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

import structlog
from django.db import connection
from django.db.models.functions import Now

logger = structlog.get_logger(__name__)
ON_DATABASE: Final = {"postgresql"}
"""Databases that have a clock of their own. SQLite runs in this process, and tests can change its clock."""


def at_insert() -> datetime | Now:
    """Return the value for the time of a row to insert. On PostgreSQL it is the expression
    `STATEMENT_TIMESTAMP()`, which needs no extra query.
    """
    return Now() if connection.vendor in ON_DATABASE else datetime.now(tz=UTC)


def now() -> datetime:
    """Return the current time of the database's clock."""
    if connection.vendor not in ON_DATABASE:
        return datetime.now(tz=UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


MAX_SKEW_S: Final = 30.0
"""Maximum difference in seconds between the clock of a worker's host and the database's. The leases that
workers compare are longer.
"""
LOOK_AGAIN: Final = 30.0
"""Seconds for which a process reuses the last comparison."""
_found: dict[str, float] = {}


class WrongClockError(Exception):
    """This host's clock differs too much from the database's. The message is a sentence."""


def seconds_ahead() -> float:
    """Return by how many seconds this host's clock is ahead of the database's; negative if it is behind."""
    return (datetime.now(tz=UTC) - now()).total_seconds()


def assert_right() -> None:
    """Raise WrongClockError if this host's clock is so wrong that a worker would take over leases still in
    use or treat old data as new.
    """
    ahead = seconds_ahead()
    if abs(ahead) > MAX_SKEW_S:
        direction = "ahead of" if ahead > 0 else "behind"
        raise WrongClockError(
            f"The clock of this host is {abs(ahead):.0f} seconds {direction} the database’s. Set it, for "
            "example with NTP."
        )


def is_right() -> bool:
    """Return False while this host's clock is wrong, so that the caller leaves the work to other hosts. The
    clocks are compared at most every 30 seconds.
    """
    if time.monotonic() - _found.get("at", -LOOK_AGAIN) >= LOOK_AGAIN:
        _found.update(at=time.monotonic(), ahead=seconds_ahead())
    is_wrong = abs(_found["ahead"]) > MAX_SKEW_S
    if is_wrong:
        logger.error("clock.wrong", seconds_ahead=round(_found["ahead"]))
    return not is_wrong


def forget() -> None:
    """Compare the clocks again at the next call."""
    _found.clear()
