"""The Celery tasks of activity: they read the folder of trail files, and delete old events."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import structlog
from celery import shared_task
from django.conf import settings
from django.utils import timezone

from iam.activity.folder import read_folder
from iam.activity.retention import forget
from iam.schedule import DAYS, every

logger = structlog.get_logger(__name__)
FOLDER_SECONDS = 15


@every(FOLDER_SECONDS)
@shared_task(name="iam.activity.tasks.read_trail_folder")  # type: ignore[untyped-decorator]
def read_trail_folder() -> None:
    """Read the new files in the folder of the setting, if there is one."""
    if not settings.TRAIL_FOLDER or not Path(settings.TRAIL_FOLDER).is_dir():
        return
    folder = Path(settings.TRAIL_FOLDER)
    report = read_folder(folder)
    if report.files:
        logger.info(
            "trail.read", files=report.files, stored=report.stored, quarantined=len(report.quarantined)
        )


@every(DAYS)
@shared_task(name="iam.activity.tasks.forget_old_activity")  # type: ignore[untyped-decorator]
def forget_old_activity() -> None:
    """Delete events that are older than the setting allows."""
    forget(timezone.now() - timedelta(days=settings.ACTIVITY_DAYS))
