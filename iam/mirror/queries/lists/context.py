"""What a list is of: whose it is, of which moment, and of which account."""

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
    """Whose list it is, of which moment (None: now), and of which account (None: of all that they see)."""

    viewer: Viewer
    at: datetime | None = None
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class ListContext(ListViewpoint):
    """What is seen, and the time, from which ages count."""

    now: datetime = field(default_factory=lambda: datetime.now(tz=UTC))

    def days_before(self, days: int) -> datetime:
        """The moment so many days before the one that is shown."""
        return (self.at or self.now) - timedelta(days=days)
