"""Dates that come from a file: brought to UTC, and refused where AWS cannot have kept anything."""

from __future__ import annotations

from datetime import UTC, datetime


def believable(moment: datetime) -> datetime:
    """The moment in UTC (which it is without a zone). ValueError or OverflowError when nobody can mean it."""
    in_utc = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    if not 1970 <= in_utc.year < 3000:
        raise ValueError(f"{in_utc.year} isn’t a year that AWS uses.")
    return in_utc
