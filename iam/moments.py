"""Moments within sentences that are stored or mailed, where the zone of the reader is not known."""

from __future__ import annotations

from datetime import UTC, datetime


def day_words(moment: datetime) -> str:
    """'5 Dec 2026', the day of UTC."""
    at = moment.astimezone(UTC)
    return f"{at.day} {at:%b %Y}"


def moment_words(moment: datetime) -> str:
    """'5 Dec 2026, 13:26 UTC', the format of the pages."""
    return f"{day_words(moment)}, {moment.astimezone(UTC):%H:%M} UTC"


def second_words(moment: datetime) -> str:
    """'5 Dec 2026, 13:26:07 UTC', for evidence, where seconds count."""
    return f"{day_words(moment)}, {moment.astimezone(UTC):%H:%M:%S} UTC"
