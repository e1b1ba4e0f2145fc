"""The beat task that writes anchors."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from iam.audit.anchors.services import write_anchors
from iam.schedule import HOURS, every


@every(settings.JOURNAL_ANCHOR_HOURS * HOURS)
@shared_task(name="iam.audit.anchors.tasks.anchor_journal")  # type: ignore[untyped-decorator]
def anchor_journal() -> None:
    """Write the head of the chain to every place."""
    write_anchors(now=timezone.now())
