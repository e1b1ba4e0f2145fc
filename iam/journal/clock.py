"""The journal's clock is the database's: hosts differ, and one whose clock is ahead must not date entries
after their blocks.
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
"""Where the clock is another one's. SQLite is in our process, and tests may turn its clock."""


def at_insert() -> datetime | Now:
    """What a row to be inserted gets as its moment: on PostgreSQL the expression `STATEMENT_TIMESTAMP()`,
    which needs no query of its own.
    """
    return Now() if connection.vendor in ON_DATABASE else datetime.now(tz=UTC)


def now() -> datetime:
    """This moment."""
    if connection.vendor not in ON_DATABASE:
        return datetime.now(tz=UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


MAX_SKEW_S: Final = 30.0
"""Seconds by which the clock of a worker's host may differ from the database's. Leases, which workers
compare, are longer.
"""
LOOK_AGAIN: Final = 30.0
"""Seconds for which a process believes what it found."""
_found: dict[str, float] = {}


class WrongClockError(Exception):
    """The host's clock differs too much from the database's; the message is a sentence."""


def seconds_ahead() -> float:
    """By how many seconds this host's clock is ahead of the database's; negative when it is behind."""
    return (datetime.now(tz=UTC) - now()).total_seconds()


def assert_right() -> None:
    """Raise WrongClockError where a worker of this host would do harm: take over what others are doing, or
    keep what is old for new.
    """
    ahead = seconds_ahead()
    if abs(ahead) > MAX_SKEW_S:
        direction = "ahead of" if ahead > 0 else "behind"
        raise WrongClockError(
            f"The clock of this host is {abs(ahead):.0f} seconds {direction} the database’s. Set it, for "
            "example with NTP."
        )


def is_right() -> bool:
    """False while this host's clock is wrong: the caller leaves the work to other hosts. Looks at most every
    half minute.
    """
    if time.monotonic() - _found.get("at", -LOOK_AGAIN) >= LOOK_AGAIN:
        _found.update(at=time.monotonic(), ahead=seconds_ahead())
    is_wrong = abs(_found["ahead"]) > MAX_SKEW_S
    if is_wrong:
        logger.error("clock.wrong", seconds_ahead=round(_found["ahead"]))
    return not is_wrong


def forget() -> None:
    """Look anew at the next question."""
    _found.clear()
