"""The beat tasks that extend the hash chain and recompute it."""

from __future__ import annotations

from celery import shared_task

from iam.journal.chain import chain_pending
from iam.journal.chain_head import note_head
from iam.journal.verify import ask_for_verification, run_verification
from iam.schedule import HOURS, every


@shared_task(name="iam.journal.tasks.chain_journal")  # type: ignore[untyped-decorator]
@every(1, expires=2)
def chain_journal() -> None:
    """Gather waiting entries into blocks. It is safe to run twice at once."""
    if chain_pending():
        note_head()


@shared_task(name="iam.journal.tasks.verify_journal")  # type: ignore[untyped-decorator]
def verify_journal(number: int) -> None:
    """Recompute the chain for the verification with this id."""
    run_verification(number)


@shared_task(name="iam.journal.tasks.verify_regularly")  # type: ignore[untyped-decorator]
@every(6 * HOURS, expires=HOURS)
def verify_regularly() -> None:
    """Recompute the chain on a schedule."""
    run_verification(ask_for_verification().pk)
