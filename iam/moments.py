"""Formats times in sentences that are stored or mailed, where the reader's time zone is unknown."""

from __future__ import annotations

from datetime import UTC, datetime


def day_words(moment: datetime) -> str:
    """Return the day in UTC, such as '5 Dec 2026'."""
    at = moment.astimezone(UTC)
    return f"{at.day} {at:%b %Y}"


def moment_words(moment: datetime) -> str:
    """Return the time in UTC in the format of the pages, such as '5 Dec 2026, 13:26 UTC'."""
    return f"{day_words(moment)}, {moment.astimezone(UTC):%H:%M} UTC"


def second_words(moment: datetime) -> str:
    """Return the time in UTC with seconds, for evidence, such as '5 Dec 2026, 13:26:07 UTC'."""
    return f"{day_words(moment)}, {moment.astimezone(UTC):%H:%M:%S} UTC"
