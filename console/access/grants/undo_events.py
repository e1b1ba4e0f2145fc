"""Who requested and who approved an undo of what was done for a grant: of what was set up, of its end, or of
such an undo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from iam.access.grants.models import ENDING, Grant
from iam.access.grants.queries import changes_of
from iam.changes.models import OF_GRANT, Approval, Change, ChangeEvent
from iam.changes.queries import visible_changes
from iam.guard import Viewer


@dataclass(frozen=True, slots=True)
class GrantEvent:
    """One line of the timeline. `change` is the request that it leads to."""

    text: str
    icon: str
    tone: str
    at: datetime
    note: str = ""
    change: Change | None = None


_UNDONE: Final = {OF_GRANT: "what was set up", ENDING: "its end"}
"""The cause of a set of the grant, and what undoing that set undoes."""
_CLOSED: Final = {"withdrawn": "{by} withdrew the undo of {what}", "expired": "The undo of {what} expired"}
"""The events with which a request ends undecided."""


def undo_events(grant: Grant, *, viewer: Viewer) -> list[GrantEvent]:
    """The events of each undo of which the viewer sees a change."""
    undone_by_set = _undoing_sets(grant, viewer=viewer)
    if not undone_by_set:
        return []
    firsts = Change.objects.filter(change_set__in=list(undone_by_set), position=0)
    events = []
    for change in firsts:
        text = f"{change.requested_label} requested to undo {undone_by_set[change.change_set_id]}"
        at = change.requested_at or change.created_at
        events.append(GrantEvent(text, "undo-2", "warn", at, change.reason))
    for approval in Approval.objects.filter(change_set__in=list(undone_by_set)):
        events.append(approval_event(approval, what=f"the undo of {undone_by_set[approval.change_set_id]}"))
    return [*events, *_closed(undone_by_set)]


def approval_event(approval: Approval, *, what: str = "") -> GrantEvent:
    """ "Hana Sato approved"; `what` names what was decided where it is not the grant."""
    agreed = approval.decision == "approve"
    verb, icon, tone = ("approved", "check", "ok") if agreed else ("rejected it", "ban", "bad")
    if what:
        verb = f"approved {what}" if agreed else f"rejected {what}"
    own = ", their own request" if approval.is_own_request else ""
    return GrantEvent(f"{approval.approver_label} {verb}{own}", icon, tone, approval.at, approval.comment)


def _undoing_sets(grant: Grant, *, viewer: Viewer) -> dict[UUID, str]:
    """The sets that undo what was done for the grant, by id, and what each undoes. A query for each level of
    undos of undos, and two.
    """
    requested = changes_of(grant).order_by().values_list("change_set", "change_set__cause_kind").distinct()
    undone = {pk: _UNDONE.get(kind, "a change of it") for pk, kind in requested}
    visible = visible_changes(viewer).order_by()
    undoing_sets: dict[UUID, str] = {}
    while undone:
        rows = visible.filter(reverts__change_set__in=list(undone))
        pairs = rows.values_list("change_set", "reverts__change_set").distinct()
        following = {}
        for undoing, reverted in pairs:
            undoing_sets[undoing] = undone[reverted]
            following[undoing] = "an undo of it"
        undone = following
    return undoing_sets


def _closed(undone_by_set: Mapping[UUID, str]) -> list[GrantEvent]:
    """That an undo was taken back, or that nobody decided."""
    rows = ChangeEvent.objects.filter(
        change__change_set__in=list(undone_by_set), change__position=0, kind__in=list(_CLOSED)
    )
    events = []
    for event in rows.select_related("change"):
        what = undone_by_set[event.change.change_set_id]
        text = _CLOSED[event.kind].format(by=event.actor_label, what=what)
        events.append(GrantEvent(text, "undo-2", "", event.at))
    return events
