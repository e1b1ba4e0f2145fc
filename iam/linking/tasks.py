"""The Celery task of linking."""

from __future__ import annotations

from celery import shared_task

from iam.linking import refresh
from iam.schedule import every


@shared_task(name="iam.linking.tasks.refresh_links")  # type: ignore[untyped-decorator]
@every(15)
def refresh_links() -> int:
    """Update the matches of users affected by recent changes."""
    return refresh.refresh_links()
