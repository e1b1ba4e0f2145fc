"""The daily tidying of what sign-in leaves behind."""

from __future__ import annotations

from celery import shared_task

from console.operators import locks
from console.operators.session_store import SessionStore
from iam.schedule import DAYS, HOURS, every


@shared_task(name="console.operators.tasks.delete_old_sign_ins")  # type: ignore[untyped-decorator]
@every(DAYS, expires=HOURS)
def delete_old_sign_ins() -> None:
    """Remove sessions that have ended, and failures that count no more."""
    SessionStore.clear_expired()
    locks.forget_old()
