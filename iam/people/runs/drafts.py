"""Drafts of runs: only their author can continue or discard them, and old ones are deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from django.db import transaction

from iam.changes.errors import RefusedError
from iam.guard import Viewer
from iam.people.runs.models import AbstractListRun, RunState

DRAFT_LIFETIME: Final = timedelta(days=7)
RunT = TypeVar("RunT", bound=AbstractListRun)


def lock_draft(actor: Viewer, run: RunT) -> RunT:
    """Return the run, locked, if it is a draft of the actor. Raises RefusedError."""
    locked_run = type(run)._default_manager.select_for_update().get(pk=run.pk)
    if locked_run.requested_by != actor.person_id:
        raise RefusedError("Only the person who started this draft can continue it.")
    if locked_run.state != RunState.DRAFT:
        raise RefusedError(f"{locked_run.reference} was already requested.")
    return locked_run


@transaction.atomic
def discard(actor: Viewer, *, run: AbstractListRun) -> None:
    """Delete a draft. Raises RefusedError."""
    lock_draft(actor, run).delete()


def delete_old_drafts(model: type[AbstractListRun], *, older_than: timedelta = DRAFT_LIFETIME) -> int:
    """Delete abandoned drafts, including the names in them. Returns how many."""
    before = datetime.now(tz=UTC) - older_than
    drafts = model._default_manager.filter(state=RunState.DRAFT, created_at__lt=before)
    return drafts.delete()[1].get(model._meta.label, 0)
