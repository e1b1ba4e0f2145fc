"""The Celery task that runs all frequent sweeps of a quiet database."""

from __future__ import annotations

import structlog
from celery import current_app, shared_task

logger = structlog.get_logger(__name__)


@shared_task(name="console.tasks.sweep_in_turn", soft_time_limit=600)  # type: ignore[untyped-decorator]
def sweep_in_turn(names: list[str]) -> None:
    """Run the named sweeps one after the other; a failure is logged and doesn’t stop the others."""
    for name in names:
        try:
            current_app.tasks[name]()
        except Exception:  # As Celery does if a task fails: the others are independent of it.
            logger.exception("sweep.failed", task=name)
