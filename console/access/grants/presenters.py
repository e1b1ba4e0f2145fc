"""The history of a grant, and how often its page polls."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from console.access.grants.parts import GrantParts
from console.access.grants.rollout_events import GrantUpdate, updates_of
from console.access.grants.undo_events import GrantEvent, approval_event, undo_events
from iam.access.grants.models import GIVING, Grant, GrantAct, GrantPart, GrantState, GrantVersion
from iam.access.grants.queries import changes_of
from iam.changes.models import Approval, ChangeEvent
from iam.changes.queries import visible_changes
from iam.guard import Viewer
from iam.phrases import counted

ACTS: Final[dict[str, tuple[str, str, str]]] = {
    GrantAct.ASKED: ("{by} requested it", "file-text", ""),
    GrantAct.REDUCED: ("{by} reduced it", "minus", "warn"),
    GrantAct.EXTENDED: ("{by} requested an extension", "timer", "note"),
    GrantAct.RENEWED: ("Extended", "timer", "ok"),
    GrantAct.SHORTENED: ("{by} shortened it", "timer", "warn"),
    GrantAct.RETRIED: ("{by} retried what failed", "rotate-cw", "info"),
    GrantAct.ENDED: ("{by} ended it", "ban", "warn"),
    GrantAct.RAN_OUT: ("The end date was reached", "timer", ""),
    GrantAct.RETURNED: ("Restored: its end was undone", "undo-2", "warn"),
    GrantAct.WITHDRAWN: ("{by} withdrew it", "undo-2", ""),
    GrantAct.FOLLOWED: ("Updated to another template version", "git-branch", "info"),
}
ABOUT_TO_END: Final = timedelta(minutes=1)
MOVING: Final = (GrantState.PREPARING, GrantState.APPLYING, GrantState.ENDING)
CLOSED: Final[dict[str, tuple[str, str, str]]] = {
    GrantState.WITHDRAWN: ("withdrawn", "{by} withdrew it", "undo-2"),
    GrantState.EXPIRED: ("expired", "Expired without a decision", "timer"),
}
"""State → the event of its changes, its text and icon."""
BY_NAME: Final = 6
"""The timeline names up to this number of accounts; more are only counted."""


def pace_of(grant: Grant) -> str:
    """Return the polling interval; "" if no change is expected soon."""
    if grant.state in MOVING:
        return "1s"
    if grant.state in GIVING and grant.ends_at and grant.ends_at < datetime.now(tz=UTC) + ABOUT_TO_END:
        return "2s"
    return "5s" if grant.state == GrantState.WAITING else ""


def version_of(grant: Grant, parts: GrantParts) -> str:
    """Return a version of the live part; equal versions mean equal content."""
    return f"{grant.state}-{parts.version}"[:120]


def events_of(grant: Grant, parts: GrantParts, *, viewer: Viewer) -> list[GrantEvent]:
    """Return the events of a grant, oldest first: actions of people, approvals, undos, and the outcome per
    account.
    """
    requested = [part.change_set_id for part in parts.all] + [part.ending_set_id for part in parts.all]
    sets = {change_set for change_set in requested if change_set}
    visible = changes_of(grant).filter(pk__in=visible_changes(viewer).values("pk"))
    approved = sets | set(visible.order_by().values_list("change_set", flat=True).distinct())
    versions = list(GrantVersion.objects.filter(grant=grant).order_by("number"))
    updates = updates_of(grant, versions, viewer=viewer)
    events = [_act(version, updates.get(version.number)) for version in versions]
    events += [approval_event(approval) for approval in Approval.objects.filter(change_set__in=approved)]
    events += undo_events(grant, viewer=viewer)
    events += _closed(grant, sets)
    events += _in_accounts(parts)
    return sorted(events, key=lambda event: event.at)


def _act(version: GrantVersion, update: GrantUpdate | None) -> GrantEvent:
    words, icon, tone = ACTS[version.act]
    if version.act == GrantAct.ASKED and version.by_id is None:
        words = "Recorded as a grant"
    text = words.format(by=version.by_label or "Gatehouse")
    # Gatehouse's own reason can repeat the text.
    note = "" if version.reason.rstrip(".") == text else version.reason
    if update is not None:
        return GrantEvent(update.text, icon, tone, version.at, note, update.change)
    return GrantEvent(text, icon, tone, version.at, note)


def _closed(grant: Grant, sets: Collection[UUID]) -> list[GrantEvent]:
    """Return the event of a withdrawn or expired request; the requests of all accounts close together."""
    if grant.state not in CLOSED:
        return []
    kind, text, icon = CLOSED[grant.state]
    rows = ChangeEvent.objects.filter(change__change_set__in=sets, kind=kind)
    last = rows.order_by("-at", "-pk").first()
    return [GrantEvent(text.format(by=last.actor_label), icon, "", last.at)] if last else []


def _in_accounts(parts: GrantParts) -> list[GrantEvent]:
    """Return when the last permission was set up, and when the last was removed."""
    up = [
        (part, parts.set_up[part.pk])
        for part in parts.all
        if part.pk in parts.set_up and part.state not in (GrantState.WAITING, GrantState.APPLYING)
    ]
    gone = [(part, part.ended_at) for part in parts.all if part.ended_at]
    proofs = {part.part.pk: part.proof.sentence for part in parts.shown if part.proof}
    return _moments_text(up, "Set up in", "shield-check", "ok", {}) + _moments_text(
        gone, "Removed from", "minus", "", proofs
    )


def _moments_text(
    moments: list[tuple[GrantPart, datetime]], verb: str, icon: str, tone: str, notes: dict[int, str]
) -> list[GrantEvent]:
    if len(moments) > BY_NAME:
        last = max(at for _, at in moments)
        return [GrantEvent(f"{verb} {counted(len(moments), 'account')}", icon, tone, last)]
    return [
        GrantEvent(f"{verb} {part.account.name}", icon, tone, at, notes.get(part.pk, ""))
        for part, at in moments
    ]


def used_of(grant: Grant, *, now: datetime) -> int | None:
    """Return how much of the duration is over in percent; None without a start or an end."""
    if grant.begins_at is None or grant.ends_at is None or grant.ends_at <= grant.begins_at:
        return None
    share = (now - grant.begins_at) / (grant.ends_at - grant.begins_at)
    return min(100, max(0, round(100 * share)))
