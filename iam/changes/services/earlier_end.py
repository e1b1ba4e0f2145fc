"""Brings the end date of a waiting request forward, as its requester or someone who can decide on it."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction

from iam.changes.approval import ends
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeSet
from iam.changes.services.decisions import refresh_receipts, standing_of, waiting_parts
from iam.changes.states import add_event, write_journal
from iam.guard import Viewer
from iam.moments import moment_words


def shorten(change: Change, *, actor: Viewer, until: datetime) -> None:
    """Bring the end date of a waiting set forward. Its receipt changes and needs approval again. Raises
    RefusedError.
    """
    standing = standing_of(change, viewer=actor)
    if not standing.may_decide and not (standing.is_own and change.requested_by == actor.person_id):
        raise RefusedError(standing.why_not, change=change)
    end = ends.end_of(change.change_set)
    if end is None:
        raise RefusedError("This is permanent, so you can’t shorten its duration.", change=change)
    if until <= datetime.now(tz=UTC):
        raise RefusedError("This moment has passed. Choose one in the future.", change=change)
    if until >= end:
        raise RefusedError(
            f"It already ends on {moment_words(end)}. Choose an earlier moment. For a later one, submit a "
            "new request.",
            change=change,
        )
    note = f"Ends on {moment_words(until)} instead of {moment_words(end)}."
    with transaction.atomic():
        # The lock makes a concurrent approval happen before or after this, not in between.
        group = ChangeSet.objects.select_for_update().get(pk=change.change_set_id)
        first = waiting_parts(change)[0]
        ends.bring_forward(group, until=until, actor=actor)
        add_event(first, kind="shortened", actor=actor, note=note)
        write_journal(first, act="shortened", actor=actor, note=note)
    change.change_set.refresh_from_db()
    refresh_receipts(waiting_parts(change))
