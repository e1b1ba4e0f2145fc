"""Age of the scheduler's last heartbeat.

Without beat nothing is swept, synced or ended, and nothing fails either.
"""

from __future__ import annotations

from datetime import UTC, datetime

from console.web.models import Heartbeat

EVERY_SECONDS = 300.0
"""Seconds between heartbeats. Each is a write, and beat slows down only while nothing is written, so they are
rare.
"""
SILENT_SECONDS = 900
"""Seconds without a heartbeat after which pages show a warning."""


def beat_was_heard() -> None:
    """Save the time of this heartbeat."""
    Heartbeat.objects.update_or_create(pk=1, defaults={"at": datetime.now(tz=UTC)})


def beat_age() -> int | None:
    """Return the seconds since the scheduler last ran; None if it never did."""
    at = Heartbeat.objects.values_list("at", flat=True).filter(pk=1).first()
    return max(0, int((datetime.now(tz=UTC) - at).total_seconds())) if at else None
