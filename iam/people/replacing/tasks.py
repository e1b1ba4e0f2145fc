"""The Celery task of replacements."""

from __future__ import annotations

from celery import shared_task

from iam.people.replacing import services
from iam.schedule import every


@shared_task(name="iam.people.replacing.tasks.expire_replacements")  # type: ignore[untyped-decorator]
@every(300)
def expire_replacements() -> int:
    """End replacements that no one answered in time."""
    return services.expire()
