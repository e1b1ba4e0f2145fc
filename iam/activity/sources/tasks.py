"""The Celery tasks of sources: they read due sources, test sources, and delete old rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from iam.activity.sources.check import check_source, unchecked_sources
from iam.activity.sources.models import DigestFile, ReadSpan, SourceFile, TrailUpload
from iam.activity.sources.run import due_sources, run_source
from iam.activity.sources.services_reports import READ_REPORT, due_reports, read_report, request_weekly
from iam.activity.sources.uploads import read_upload as read_uploaded_files
from iam.activity.sources.uploads import waiting_uploads
from iam.nudge import send_each
from iam.schedule import DAYS, HOURS, every

EVERY_SECONDS: Final = 60
READ_SOURCE: Final = "iam.activity.sources.tasks.read_source"
READ_UPLOAD: Final = "iam.activity.sources.tasks.read_upload"
CHECK_SOURCE: Final = "iam.activity.sources.tasks.test_source"


@every(EVERY_SECONDS)
@shared_task(name="iam.activity.sources.tasks.read_due_sources")  # type: ignore[untyped-decorator]
def read_due_sources() -> None:
    """Send the tasks for each due source, and for each test, upload and report that waits."""
    send_each(READ_SOURCE, due_sources(timezone.now()))
    send_each(CHECK_SOURCE, unchecked_sources())
    send_each(READ_UPLOAD, waiting_uploads())
    send_each(READ_REPORT, due_reports(timezone.now()))


@shared_task(name=READ_SOURCE)  # type: ignore[untyped-decorator]
def read_source(source_id: str) -> None:
    """Read what is new in a source."""
    run_source(UUID(source_id))


@shared_task(name=CHECK_SOURCE)  # type: ignore[untyped-decorator]
def test_source(source_id: str) -> None:
    """Read one file of a source to test it."""
    check_source(UUID(source_id))


@shared_task(name=READ_UPLOAD)  # type: ignore[untyped-decorator]
def read_upload(upload_id: str) -> None:
    """Read the files of an upload."""
    read_uploaded_files(UUID(upload_id))


@shared_task(name=READ_REPORT)  # type: ignore[untyped-decorator]
def read_services_report(report_id: str) -> None:
    """Read from IAM when a user or role last used each service."""
    read_report(UUID(report_id))


@every(HOURS)
@shared_task(name="iam.activity.sources.tasks.request_weekly_reports")  # type: ignore[untyped-decorator]
def request_weekly_reports() -> None:
    """Request reports on the last use of services for users without a trail."""
    request_weekly(timezone.now())


@every(DAYS)
@shared_task(name="iam.activity.sources.tasks.forget_old_files")  # type: ignore[untyped-decorator]
def forget_old_files() -> None:
    """Delete files, uploads and spans from before the retention period of events."""
    before = timezone.now() - timedelta(days=settings.ACTIVITY_DAYS)
    SourceFile.objects.filter(at__lt=before).delete()
    DigestFile.objects.filter(end_at__lt=before).delete()
    TrailUpload.objects.filter(ended_at__lt=before).delete()
    ReadSpan.objects.filter(end__lt=before).delete()
    ReadSpan.objects.filter(start__lt=before).update(start=before)
