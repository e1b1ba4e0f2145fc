"""Adds comments to waiting requests. Everyone who sees a request can comment, except people who
only audit.
"""

from __future__ import annotations

from django.db import transaction

from iam.changes import notifications
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.queries import visible_changes
from iam.changes.states import add_event, write_journal
from iam.directory.models import Role
from iam.guard import Viewer

MAX_COMMENT = 1000


def may_comment(change: Change, *, viewer: Viewer) -> bool:
    """True if this viewer, who sees the change, can comment on it now."""
    only_audits = set(viewer.roles) <= {Role.AUDITOR.value}
    return change.state == ChangeState.AWAITING and not only_audits


def comment(change: Change, *, actor: Viewer, text: str) -> None:
    """Add a comment to the timeline of a waiting set, on its first change, and notify the participants.
    Raises RefusedError.
    """
    text = text.strip()
    if not visible_changes(actor).filter(pk=change.pk).exists() or not may_comment(change, viewer=actor):
        raise RefusedError(
            "You can’t comment on this any more: it is no longer waiting for approval.", change=change
        )
    if not text:
        raise RefusedError("Write a comment.", change=change)
    if len(text) > MAX_COMMENT:
        raise RefusedError(
            f"The comment has {len(text):,} characters. The limit is {MAX_COMMENT:,}.", change=change
        )
    first = change.change_set.changes.select_related("account").get(position=0)
    with transaction.atomic():
        event = add_event(first, kind="commented", actor=actor, note=text)
        write_journal(first, act="commented", actor=actor, note=text)
        notifications.tell_comment(first, by=actor.person_id, name=actor.name, comment=text, event=event.pk)
