"""The context of a list: viewer, time and account."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from iam.guard import Viewer
from iam.mirror.models import Account

States = QuerySet[Any, Any]


@dataclass(frozen=True, slots=True)
class ListViewpoint:
    """The viewer of a list, the time (None: now) and the account (None: all visible ones)."""

    viewer: Viewer
    at: datetime | None = None
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class ListContext(ListViewpoint):
    """The viewpoint, and the current time for computing ages."""

    now: datetime = field(default_factory=lambda: datetime.now(tz=UTC))

    def days_before(self, days: int) -> datetime:
        """Return the time `days` before the time that is shown."""
        return (self.at or self.now) - timedelta(days=days)
