"""Provides the retention status for the journal page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from iam.audit.retention.holds import KEPT_KINDS
from iam.journal.models import Entry, JournalCut


@dataclass(frozen=True, slots=True)
class RetentionState:
    """The setting in days (0: forever), the newest removal, and the oldest entry that a removal would
    consider.
    """

    days: int
    cut: JournalCut | None
    oldest_due: datetime | None


def retention_state(*, now: datetime) -> RetentionState:
    """The retention status. Two indexed queries."""
    cut = JournalCut.objects.order_by("-pk").first()
    oldest = None
    if settings.JOURNAL_DAYS:
        due = now - timedelta(days=settings.JOURNAL_DAYS)
        rows = Entry.objects.filter(at__lt=due).exclude(kind__in=KEPT_KINDS)
        oldest = rows.order_by("at").values_list("at", flat=True).first()
    return RetentionState(settings.JOURNAL_DAYS, cut, oldest)
