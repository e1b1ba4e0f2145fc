"""Celery tasks of access reviews."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from celery import shared_task

from iam.audit.reviews import periodic
from iam.audit.reviews.campaigns import OPEN_TASK, REVIEW
from iam.schedule import every


@shared_task(name="iam.audit.reviews.tasks.tend_reviews")  # type: ignore[untyped-decorator]
@every(60)
def tend_reviews() -> int:
    """Resume reviews that a lost process left unfinished, and run what is due."""
    return periodic.run_due(now=datetime.now(tz=UTC))


@shared_task(name=OPEN_TASK)  # type: ignore[untyped-decorator]
def open_review(campaign_id: str) -> None:
    """Write the rows of a review."""
    REVIEW.request_by_id(UUID(campaign_id))
