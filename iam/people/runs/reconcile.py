"""Derives a run's state from its changes, and reconciles rows whose handler was lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from iam.changes.models import OPEN, Change, ChangeState
from iam.journal.services import record
from iam.people.runs.models import AbstractRun, RunState


def progress_state(changes: QuerySet[Change]) -> RunState | None:
    """Return WAITING while an approver has to decide, RUNNING while a worker has work, and None
    afterwards.
    """
    states = set(changes.order_by().values_list("state", flat=True).distinct())
    if ChangeState.AWAITING in states:
        return RunState.WAITING
    return RunState.RUNNING if states & set(OPEN) else None


def end_state(*, is_any_applied: bool, is_any_left: bool) -> RunState:
    """Return the state of a run whose changes have ended."""
    if not is_any_applied:
        return RunState.CLOSED
    return RunState.PARTLY if is_any_left else RunState.DONE


def set_state(
    run: AbstractRun, state: RunState, *, kind: str, subject: str, facts: Mapping[str, Any]
) -> None:
    """Save and record another state, with the end time. Does nothing if it is the same. The caller holds the
    row lock.
    """
    if run.state == state:
        return
    before, run.state = run.state, state
    run.ended_at = None if run.is_open else datetime.now(tz=UTC)
    run.save(update_fields=["state", "ended_at"])
    record(kind=kind, actor=None, subject=subject, data={**facts, "from": before, "to": state.value})


def reconcile_missed(rows: QuerySet[Any], reconcile: Callable[[UUID], None], *, most: int) -> int:
    """Reconcile rows whose process was lost before it did so. Returns how many."""
    pks = list(rows.values_list("pk", flat=True)[:most])
    for pk in pks:
        reconcile(pk)
    return len(pks)
