"""The beat task that extends the hash chain."""

from __future__ import annotations

from celery import shared_task

from iam.journal.chain import chain_pending


@shared_task(name="iam.journal.tasks.chain_journal")  # type: ignore[untyped-decorator]
def chain_journal() -> None:
    """Gather the waiting entries into a block; two beats do no harm."""
    chain_pending()
