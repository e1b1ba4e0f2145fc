"""Tell a worker that a run is to be asked for; where no broker is there, the sweep finds it by itself."""

from __future__ import annotations

from uuid import UUID

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

logger = structlog.get_logger(__name__)


def ask(run_id: UUID) -> None:
    """A hint, no promise: the row says what is to be done."""
    try:
        current_app.send_task("iam.people.onboarding.tasks.ask_run", args=[str(run_id)], retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("onboarding.nudge_failed", run=str(run_id), error=str(error))
