"""Requests a run once, in batches, however often it is called and whichever process is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Coalesce

from iam import nudge
from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.changes.receipts import Receipt
from iam.people.runs.drafts import RunT
from iam.people.runs.models import RunState

RESUME_AFTER: Final = timedelta(minutes=2)
RESUME_BATCH_SIZE: Final = 5
ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class RunKind(Generic[RunT]):
    """How a kind of run is requested. `request_rows` raises RefusedError and skips rows that were requested
    before; `is_requested` returns True if any was. `task` requests a run by its id; `requested` is the state
    that follows.
    """

    model: type[RunT]
    task: str
    requested: RunState
    request_rows: Callable[[RunT], None]
    is_requested: Callable[[RunT], bool]
    record_request: Callable[[RunT], None]

    def submit(self, run: RunT, *, by_worker: bool) -> RunT:
        """Request a run that was saved as submitted, now or soon in a worker. Raises RefusedError, and then
        the run is a draft again.
        """
        if by_worker:
            nudge.send(self.task, run.pk)
            return run
        self.request(run)
        if run.state == RunState.DRAFT:
            raise RefusedError(run.trouble)
        return run

    def request(self, run: RunT) -> None:
        """Request what is left of the run. If the first batch is refused, the run is a draft again, and
        `trouble` says why. No transaction is held meanwhile.
        """
        trouble = ""
        try:
            self.request_rows(run)
        except RefusedError as refused:
            trouble = refused.message[:1024]
        values: dict[str, Any] = {"state": self.requested, "trouble": trouble}
        is_requested = self.is_requested(run)
        if not is_requested:
            values |= {"state": RunState.DRAFT, "asked_at": None}
        with transaction.atomic():
            submitted = self.model._default_manager.filter(pk=run.pk, state=RunState.SUBMITTING)
            if submitted.update(**values) and is_requested:
                self.record_request(run)
        run.refresh_from_db()

    def request_by_id(self, run_id: UUID) -> None:
        """Request a run, or do nothing if it was requested in the meantime."""
        run = self.model._default_manager.filter(pk=run_id, state=RunState.SUBMITTING).first()
        if run is not None:
            self.request(run)

    def resume(self, *, older_than: timedelta = RESUME_AFTER) -> int:
        """Continue with runs whose process was lost while it requested them. Returns how many."""
        since = Coalesce("asked_at", "created_at")
        submitted = self.model._default_manager.filter(state=RunState.SUBMITTING).alias(since=since)
        overdue = submitted.filter(since__lt=datetime.now(tz=UTC) - older_than).order_by("since")
        runs: list[RunT] = list(overdue[:RESUME_BATCH_SIZE])
        for run in runs:
            self.request(run)
        return len(runs)


def request_operations(operations: Iterable[Operation], **request: Any) -> list[Change]:
    """Request one set of these changes; a worker calculates its receipt. Raises RefusedError."""
    not_calculated = Receipt(body={}, digest="")
    plans = [changes.ChangePlan(operation, before={}, receipt=not_calculated) for operation in operations]
    return changes.request_changes(plans, **request)


def batches(items: Iterable[ItemT], *, size: Callable[[ItemT], int], most: int) -> Iterator[Sequence[ItemT]]:
    """Yield the items in order, in batches of at most `most`. A larger item is its own batch; items are never
    divided.
    """
    batch: list[ItemT] = []
    total = 0
    for item in items:
        added = size(item)
        if batch and total + added > most:
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += added
    if batch:
        yield batch
