"""The daily cleanup of sign-in data."""

from __future__ import annotations

from celery import shared_task

from console.operators import locks
from console.operators.session_store import SessionStore
from iam.schedule import DAYS, HOURS, every


@shared_task(name="console.operators.tasks.delete_old_sign_ins")  # type: ignore[untyped-decorator]
@every(DAYS, expires=HOURS)
def delete_old_sign_ins() -> None:
    """Delete ended sessions, and failures that no longer count."""
    SessionStore.clear_expired()
    locks.forget_old()
