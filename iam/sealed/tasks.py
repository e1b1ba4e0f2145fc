"""The Celery task of sealed secrets."""

from __future__ import annotations

from celery import shared_task

from iam.schedule import every
from iam.sealed import services


@shared_task(name="iam.sealed.tasks.sweep_secrets")  # type: ignore[untyped-decorator]
@every(20)
def sweep_secrets() -> None:
    """Destroy expired secrets."""
    services.sweep()
