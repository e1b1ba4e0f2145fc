"""Beat's age: without beat nothing is swept, synced or ended, and nothing fails either."""

from __future__ import annotations

from datetime import UTC, datetime

from console.web.models import Heartbeat

EVERY_SECONDS = 300.0
"""Each sign of life is a write, and beat rests only while nobody writes: rarely is better here."""
SILENT_SECONDS = 900
"""After so long without a sign of life pages warn."""


def beat_was_heard() -> None:
    """Write the moment down."""
    Heartbeat.objects.update_or_create(pk=1, defaults={"at": datetime.now(tz=UTC)})


def beat_age() -> int | None:
    """Seconds since the scheduler last ran; None if it never did."""
    at = Heartbeat.objects.values_list("at", flat=True).filter(pk=1).first()
    return max(0, int((datetime.now(tz=UTC) - at).total_seconds())) if at else None
