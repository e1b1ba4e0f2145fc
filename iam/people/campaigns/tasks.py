"""The Celery task of campaigns."""

from __future__ import annotations

from celery import shared_task

from iam.people.campaigns import reconcile
from iam.schedule import every


@shared_task(name="iam.people.campaigns.tasks.reconcile_campaigns")  # type: ignore[untyped-decorator]
@every(300)
def reconcile_campaigns() -> int:
    """Invite and remind participants, and request what is due."""
    return reconcile.reconcile_campaigns()
