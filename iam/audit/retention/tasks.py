"""Celery task that removes old entries if the worker owns the tables, as in the embedded default."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.conf import settings
from django.db import connection
from django.utils import timezone

from iam.audit.retention.services import RetentionRefusedError, prune
from iam.journal import triggers
from iam.schedule import HOURS, every

logger = structlog.get_logger(__name__)


@every(24 * HOURS, expires=HOURS)
@shared_task(name="iam.audit.retention.tasks.prune_journal")  # type: ignore[untyped-decorator]
def prune_journal() -> None:
    """Remove old entries; does nothing without a setting or if another role owns the tables."""
    if not settings.JOURNAL_DAYS or not triggers.is_owner(connection):
        return
    try:
        prune(now=timezone.now(), actor=None)
    except RetentionRefusedError as error:
        logger.error("journal.not_pruned", error=str(error))
