"""Times of creation and use, relative to two fixed times, and tags in AWS's format."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.demo.organisation.specs import Tags
from console.demo.standin import ids


@dataclass(frozen=True)
class OrganisationTimes:
    """The time of the first seeding (`anchor`, from which ages count) and of the last start (`usage`, from
    which uses count).
    """

    anchor: datetime
    usage: datetime

    def made(self, age: float, *parts: str) -> datetime:
        """Return a time `age` days before the anchor, at a minute of the working day that depends on the
        object.
        """
        minutes = int(ids.digest("minute", *parts)[:6], 16) % 600
        day = self.anchor.replace(hour=0, minute=0, second=0) - timedelta(days=int(age))
        return day + timedelta(hours=7, minutes=minutes, seconds=minutes % 53)

    def used(self, days: float | None) -> datetime | None:
        """Return a moment `days` days before the last start, or None for never."""
        if days is None:
            return None
        return (self.usage - timedelta(days=days)).replace(second=0, microsecond=0)


def tag_list(tags: Tags) -> list[dict[str, str]]:
    """Return tags in AWS's format, sorted by key."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
