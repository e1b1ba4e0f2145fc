"""Finds and moves the end date of what a change set gives, using the handlers of its cause."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from iam.changes.causes import KINDS, CauseEnds, kind_of
from iam.changes.models import Change, ChangeSet
from iam.changes.summary import blocks_of
from iam.guard import Viewer


def end_of(change_set: ChangeSet) -> datetime | None:
    """The end date of what the set gives or restores; None if there is none or it is unknown."""
    if own := _own_end(change_set):
        return own
    ends = kind_of(change_set).ends
    if ends and change_set.cause_id:
        return ends.end_of(change_set.cause_id)
    return _end_of_restored(change_set)


def closes_at(change: Change) -> datetime | None:
    """When a request that no one answers expires: when its time is up, or with the grant that it is about."""
    change_set = change.change_set
    ends = kind_of(change_set).ends
    if ends is None or change_set.cause_id is None or lasts_of([change_set]):
        return change.expires_at
    moments = (change.expires_at, ends.end_of(change_set.cause_id))
    return min((moment for moment in moments if moment), default=None)


def _own_end(change_set: ChangeSet) -> datetime | None:
    """The end date in the request itself. An extension has one that differs from the grant's until it is
    approved.
    """
    return min((block.until for block in blocks_of(change_set.summary) if block.until), default=None)


def _end_of_restored(change_set: ChangeSet) -> datetime | None:
    """The earliest end date of what the set restores."""
    restored = _restored_ends()
    undone = change_set.changes.filter(reverts__change_set__cause_kind__in=list(restored)).order_by()
    causes = set(undone.values_list("reverts__change_set__cause_kind", "reverts__change_set__cause_id"))
    moments = [restored[kind](cause) for kind, cause in causes if cause]
    return min((moment for moment in moments if moment), default=None)


def ends_of(change_sets: Iterable[ChangeSet]) -> dict[UUID, datetime]:
    """The end dates of several sets, by id. One query per kind of cause, and one for sets that undo
    something.
    """
    by_ends: dict[CauseEnds, dict[UUID, list[UUID]]] = defaultdict(lambda: defaultdict(list))
    others = []
    own: dict[UUID, datetime] = {}
    for change_set in change_sets:
        if end := _own_end(change_set):
            own[change_set.pk] = end
        elif (ends := kind_of(change_set).ends) and change_set.cause_id:
            by_ends[ends][change_set.cause_id].append(change_set.pk)
        else:
            others.append(change_set.pk)
    moments = _ends_of_restored(others)
    for ends, sets in by_ends.items():
        for cause, end in _ends_of_causes(ends, list(sets)).items():
            moments |= dict.fromkeys(sets[cause], end)
    return moments | own


def lasts_of(change_sets: Iterable[ChangeSet]) -> dict[UUID, str]:
    """The durations, in words, of sets whose end date is set at approval, by id. One query per kind
    of cause.
    """
    by_ends: dict[Callable[..., dict[UUID, str]], dict[UUID, list[UUID]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for change_set in change_sets:
        ends = kind_of(change_set).ends
        if ends and ends.lasts_of and change_set.cause_id:
            by_ends[ends.lasts_of][change_set.cause_id].append(change_set.pk)
    words: dict[UUID, str] = {}
    for lasts_of_causes, sets in by_ends.items():
        for cause, text in lasts_of_causes(list(sets)).items():
            words |= dict.fromkeys(sets[cause], text)
    return words


def _ends_of_restored(sets: Sequence[UUID]) -> dict[UUID, datetime]:
    restored = _restored_ends()
    undoing = Change.objects.filter(
        change_set__in=sets, reverts__isnull=False, reverts__change_set__cause_kind__in=list(restored)
    )
    known: dict[tuple[str, UUID], datetime | None] = {}
    ends: dict[UUID, datetime] = {}
    rows = undoing.values_list(
        "change_set", "reverts__change_set__cause_kind", "reverts__change_set__cause_id"
    )
    for pk, kind, cause in rows.order_by().distinct():
        if cause is None:
            continue
        if (kind, cause) not in known:
            known[kind, cause] = restored[kind](cause)
        end = known[kind, cause]
        if end is not None:
            ends[pk] = min(end, ends.get(pk, end))
    return ends


def _ends_of_causes(ends: CauseEnds, causes: Sequence[UUID]) -> dict[UUID, datetime]:
    if ends.ends_of is not None:
        return ends.ends_of(causes)
    return {cause: end for cause in causes if (end := ends.end_of(cause)) is not None}


def _restored_ends() -> dict[str, Callable[[UUID], datetime | None]]:
    """By kind of cause of removing sets: a function for the end date that applies again after such a set is
    undone.
    """
    return {name: kind.restored_end for name, kind in KINDS.items() if kind.restored_end}


def bring_forward(change_set: ChangeSet, *, until: datetime, actor: Viewer) -> None:
    """Move the end date earlier. Raises RefusedError, and KeyError for a set without an end date."""
    ends = kind_of(change_set).ends
    if ends is None:
        raise KeyError(change_set.cause_kind)
    assert change_set.cause_id is not None
    ends.shorten(change_set.cause_id, until, actor)


def has_own_end(change_set: ChangeSet) -> bool:
    """True if the request asks for a specific end date, like an extension, so that approvers can't shorten
    it.
    """
    return _own_end(change_set) is not None


def has_clock(change_set: ChangeSet) -> bool:
    """True if approval can rewrite parts of the changes, because they contain an end date."""
    return kind_of(change_set).ends is not None


def started(change: Change, *, at: datetime) -> dict[str, Any]:
    """The columns of a change to rewrite at approval, with their values."""
    ends = kind_of(change.change_set).ends
    return ends.started(change, at) if ends else {}
