"""Convert dates from a file to UTC, and refuse those that AWS cannot have recorded."""

from __future__ import annotations

from datetime import UTC, datetime


def believable(moment: datetime) -> datetime:
    """Return the moment in UTC; without a time zone it is read as UTC. ValueError or OverflowError for an
    impossible date.
    """
    in_utc = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    if not 1970 <= in_utc.year < 3000:
        raise ValueError(f"{in_utc.year} isn’t a year that AWS uses.")
    return in_utc
