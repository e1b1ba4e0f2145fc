"""The Celery task of a quiet database."""

from __future__ import annotations

import structlog
from celery import current_app, shared_task

logger = structlog.get_logger(__name__)


@shared_task(name="console.tasks.sweep_in_turn", soft_time_limit=600)  # type: ignore[untyped-decorator]
def sweep_in_turn(names: list[str]) -> None:
    """Run sweeps one after the other, in one message; the failure of one is logged, and does not stop the
    others.
    """
    for name in names:
        try:
            current_app.tasks[name]()
        except Exception:  # As Celery does for a task of its own: the others have nothing to do with it.
            logger.exception("sweep.failed", task=name)
