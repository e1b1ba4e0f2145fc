"""Phrases for sentences about grants."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from iam.phrases import counted, joined

NAMED: Final = 3
DAY: Final = 86_400


def listed(names: Sequence[str], *, most: int = NAMED) -> str:
    """Join the first names and count the rest: "a, b and c", "a, b, c and 4 others"."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {counted(len(names) - most, 'other')}"
    return joined(names)


def slugged(text: str) -> str:
    """The text in lower case, with hyphens in place of everything that AWS resource names don't allow."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def duration(seconds: int) -> str:
    """Format seconds as "1 hour", "90 minutes", "8 hours" or "30 days"."""
    if seconds >= 2 * DAY and seconds % DAY == 0:
        return counted(seconds // DAY, "day")
    if seconds % 3600:
        return counted(seconds // 60, "minute")
    return counted(seconds // 3600, "hour")
