"""The states of a change, the allowed transitions, and the functions that perform them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction

from iam.batches import batches
from iam.changes import handlers
from iam.changes.models import Change, ChangeEvent, ChangeState
from iam.journal import services as journal
from iam.journal.models import Entry
from iam.journal.services import GATEHOUSE, Actor

S = ChangeState

TRANSITIONS: dict[ChangeState, frozenset[ChangeState]] = {
    S.DRAFT: frozenset({S.AWAITING, S.CANCELLED}),
    S.AWAITING: frozenset({S.QUEUED, S.REJECTED, S.CANCELLED, S.EXPIRED}),
    S.QUEUED: frozenset({S.APPLYING, S.CANCELLED, S.EXPIRED}),
    S.APPLYING: frozenset({S.CONFIRMING, S.QUEUED, S.APPLIED, S.FAILED, S.UNKNOWN}),
    S.CONFIRMING: frozenset({S.APPLIED, S.UNKNOWN}),
    S.UNKNOWN: frozenset({S.CONFIRMING}),
    S.APPLIED: frozenset(),
    S.FAILED: frozenset(),
    S.REJECTED: frozenset(),
    S.CANCELLED: frozenset(),
    S.EXPIRED: frozenset(),
}
"""The allowed transitions. A change with an unknown result is checked again only at a person's request."""

_STAMP = {
    S.AWAITING: "requested_at",
    S.QUEUED: "queued_at",
    S.APPLYING: "applying_at",
    S.CONFIRMING: "confirming_at",
}
BATCH_SIZE = 500
"""The maximum number of rows per statement."""
RUN_CHANGE: Final = "iam.changes.tasks.run_change"
_ENDS = {S.APPLIED, S.FAILED, S.UNKNOWN, S.REJECTED, S.CANCELLED, S.EXPIRED}


class ForbiddenTransitionError(Exception):
    """Raised for a transition that the table does not allow, which is a programming error."""


def move(
    change: Change,
    *,
    to: ChangeState,
    actor: Actor | None,
    note: str = "",
    kind: str = "",
    data: dict[str, Any] | None = None,
    expecting: dict[str, Any] | None = None,
    **fields: Any,
) -> bool:
    """Move the change from its loaded state to another. Returns False, and writes nothing, if it was changed
    meanwhile.

    A compare-and-set on state and fence, with timeline row and journal entry in the same transaction. On
    success the instance has the new values. `actor` is None for Gatehouse. `kind` names the timeline row if
    the state does not say enough. `expecting` are further columns that must be unchanged; `fields` are
    written too.
    """
    was = ChangeState(change.state)
    if to not in TRANSITIONS[was]:
        raise ForbiddenTransitionError(f"{was} → {to}")
    now = datetime.now(tz=UTC)
    values = {"state": to, **_stamps(to, now), **fields}
    # No savepoint within a caller's transaction: a failure here fails all of it.
    with transaction.atomic(savepoint=False):
        expected = Change.objects.filter(
            pk=change.pk, state=was, attempts=change.attempts, **(expecting or {})
        )
        if not expected.update(**values):
            return False
        for name, value in values.items():
            setattr(change, name, value)
        add_event(change, kind=kind or to.value, actor=actor, note=note, at=now)
        write_journal(change, act=kind or to.value, actor=actor, note=note, data=data)
        if to in _ENDS:
            handlers.tell_end_after_commit(change)
    return True


def begin_all(
    changes: Sequence[Change],
    *,
    actor: Actor,
    note: str,
    data: Sequence[dict[str, Any]],
    expires_at: datetime,
) -> None:
    """Create new changes as requested, each with a timeline row and a journal entry, in the caller's
    transaction.
    """
    now = datetime.now(tz=UTC)
    for change in changes:
        change.state, change.requested_at, change.expires_at = S.AWAITING, now, expires_at
    Change.objects.bulk_create(changes, batch_size=BATCH_SIZE)
    _write_all(changes, kind="requested", actor=actor, note=note, data=data, at=now)


def move_all(
    changes: Sequence[Change],
    *,
    to: ChangeState,
    actor: Actor | None,
    kind: str,
    note: str,
    data: Sequence[dict[str, Any]],
    **fields: Any,
) -> bool:
    """Move changes in the same state like `move`, in a few statements and the caller's transaction.

    Returns False if one of them was changed since it was loaded, including its receipt; the caller must then
    roll back. Not for final states, see `end_all`.
    """
    if to in _ENDS:
        raise ForbiddenTransitionError(f"{to} is an end")
    return _move_all(changes, to=to, actor=actor, kind=kind, note=note, data=data, **fields)


def end_all(
    changes: Sequence[Change], *, to: ChangeState, actor: Actor | None, kind: str = "", note: str = ""
) -> int:
    """End changes that nobody has begun, like `move` but in few statements. Returns the number of ended
    changes.

    For many changes, a worker runs the handlers, so that nobody waits for them.
    """
    if not changes:
        return 0
    with transaction.atomic():
        own: list[dict[str, Any]] = [{} for _ in changes]
        if _move_all(changes, to=to, actor=actor, kind=kind or to.value, note=note, data=own):
            handlers.tell_ends_after_commit(changes)
            return len(changes)
        transaction.set_rollback(True)
    return sum(move(change, to=to, actor=actor, kind=kind, note=note) for change in changes)


def _move_all(
    changes: Sequence[Change],
    *,
    to: ChangeState,
    actor: Actor | None,
    kind: str,
    note: str,
    data: Sequence[dict[str, Any]],
    **fields: Any,
) -> bool:
    was = {ChangeState(change.state) for change in changes}
    if any(to not in TRANSITIONS[state] for state in was):
        raise ForbiddenTransitionError(f"{sorted(was)} → {to}")
    now = datetime.now(tz=UTC)
    values = {"state": to, **_stamps(to, now), **fields}
    for batch in batches(changes, BATCH_SIZE):
        expected = Change.objects.filter(pk__in=[change.pk for change in batch], state__in=was)
        if expected.update(**values) < len(batch):
            return False
        stand = Change.objects.filter(pk__in=[change.pk for change in batch])
        known = {
            (pk, tries, seen) for pk, tries, seen in stand.values_list("pk", "attempts", "receipt_digest")
        }
        if known != {(change.pk, change.attempts, change.receipt_digest) for change in batch}:
            return False
    for change in changes:
        for name, value in values.items():
            setattr(change, name, value)
    _write_all(changes, kind=kind, actor=actor, note=note, data=data, at=now)
    return True


def _write_all(
    changes: Sequence[Change],
    *,
    kind: str,
    actor: Actor | None,
    note: str,
    data: Sequence[dict[str, Any]],
    at: datetime,
) -> None:
    """Write a timeline row and a journal entry for each change."""
    events = [event_of(change, kind=kind, actor=actor, note=note, at=at) for change in changes]
    ChangeEvent.objects.bulk_create(events, batch_size=BATCH_SIZE)
    entries = [
        entry_of(change, act=kind, actor=actor, note=note, data=own)
        for change, own in zip(changes, data, strict=True)
    ]
    journal.record_all(entries)


def _stamps(to: ChangeState, now: datetime) -> dict[str, datetime | None]:
    stamps: dict[str, datetime | None] = {"ended_at": now if to in _ENDS else None}
    if to in _STAMP:
        stamps[_STAMP[to]] = now
    if to in _ENDS:
        stamps |= {"due_at": None, "lease_until": None, "expires_at": None}
    return stamps


def add_event(
    change: Change, *, kind: str, actor: Actor | None, note: str = "", at: datetime | None = None
) -> ChangeEvent:
    """Add a line to the timeline, in the caller's transaction."""
    event = event_of(change, kind=kind, actor=actor, note=note, at=at)
    event.save(force_insert=True)
    return event


def event_of(
    change: Change, *, kind: str, actor: Actor | None, note: str = "", at: datetime | None = None
) -> ChangeEvent:
    """A timeline line, not saved yet."""
    who = actor or GATEHOUSE
    actor_id = who.person_id if hasattr(who, "person_id") else who.id
    return ChangeEvent(
        change=change,
        at=at or datetime.now(tz=UTC),
        kind=kind,
        actor_id=actor_id,
        actor_label=who.name[:128],
        note=note[:2048],
    )


def write_journal(
    change: Change, *, act: str, actor: Actor | None, note: str = "", data: dict[str, Any] | None = None
) -> None:
    """Add the action to the journal, in the caller's transaction."""
    journal.record_all([entry_of(change, act=act, actor=actor, note=note, data=data)])


def note_by_gatehouse(change: Change, *, kind: str, note: str) -> None:
    """Add a line by Gatehouse to the timeline and the journal, in the caller's transaction."""
    add_event(change, kind=kind, actor=None, note=note)
    write_journal(change, act=kind, actor=None, note=note)


def entry_of(
    change: Change, *, act: str, actor: Actor | None, note: str = "", data: dict[str, Any] | None = None
) -> Entry:
    """The journal entry of an action, not saved yet."""
    return journal.entry(
        kind=f"change.{act}",
        actor=actor,
        subject=change.subject_arn,
        account_id=change.account.account_id,
        data={
            "change": change.id,
            "operation": change.operation,
            "title": change.title,
            "params": change.params,
            **({"note": note} if note else {}),
            **(data or {}),
        },
    )
