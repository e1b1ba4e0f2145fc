"""Moments within sentences that are stored or mailed, where the zone of the reader is not known."""

from __future__ import annotations

from datetime import UTC, datetime


def moment_words(moment: datetime) -> str:
    """'5 Dec 2026, 13:26 UTC', the format of the pages."""
    at = moment.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"
