"""Ingests the sample organization's past: ninety days of CloudTrail events, once."""

from __future__ import annotations

from datetime import UTC, datetime

from django.conf import settings

from console.demo.organisation.build import northline
from console.demo.trail.files import trail_files
from iam.activity.ingest import DeliveredFile, IngestReport, ingest
from iam.activity.models import TrailFile

SOURCE = "sample"


def read_sample_trail() -> IngestReport | None:
    """Ingest the sample trail. Returns None if that was already done.

    The trail ends in the current hour, like the last uses that the simulated AWS reports.
    """
    if not settings.SAMPLE_DATA or TrailFile.objects.filter(source=SOURCE).exists():
        return None
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return ingest((DeliveredFile(name, content) for name, content in trail_files(northline(), until)), SOURCE)
