"""When what a set gives ends, and how that is brought forward: what it was made for knows, and registers it
here.

A layer above registers in its `AppConfig.ready` for the kind of cause that its sets have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from iam.changes.models import Change, ChangeSet
from iam.changes.summary import blocks_of
from iam.guard import Viewer


@dataclass(frozen=True, slots=True)
class Ends:
    """`end_of` gives the end of what a cause gives (None: it has none), `ends_of` those of several causes
    that have one, `shorten` brings it forward and raises RefusedError. `lasts_of` says it in words for those
    whose end is set by their approval: "for 14 days after approval".

    `started` is asked within the transaction that queues a change, and gives the columns that are another now
    that the clock runs: what was asked for as a time from the approval on is a moment then.
    """

    end_of: Callable[[UUID], datetime | None]
    shorten: Callable[[UUID, datetime, Viewer], None]
    started: Callable[[Change, datetime], dict[str, Any]]
    ends_of: Callable[[Sequence[UUID]], dict[UUID, datetime]] | None = None
    lasts_of: Callable[[Sequence[UUID]], dict[UUID, str]] | None = None


_by_kind: dict[str, Ends] = {}
_restored: dict[str, Callable[[UUID], datetime | None]] = {}
"""Kind of cause of sets that take something away → the end that it has again when such a set is undone."""


def register(kind: str, ends: Ends) -> None:
    """Tell how the sets of this kind of cause end."""
    _by_kind[kind] = ends


def register_restored(kind: str, end_of: Callable[[UUID], datetime | None]) -> None:
    """Tell when that ends which is there again once a set of this kind of cause is undone."""
    _restored[kind] = end_of


def end_of(change_set: ChangeSet) -> datetime | None:
    """When what the set gives, or gives back, ends by itself; None where it does not, or nobody knows."""
    if own := _own_end(change_set):
        return own
    ends = _by_kind.get(change_set.cause_kind)
    if ends and change_set.cause_id:
        return ends.end_of(change_set.cause_id)
    return _end_of_restored(change_set)


def _own_end(change_set: ChangeSet) -> datetime | None:
    """The end that the request itself asks for: an extension's is another than that of the grant until it is
    done.
    """
    return min((block.until for block in blocks_of(change_set.summary) if block.until), default=None)


def _end_of_restored(change_set: ChangeSet) -> datetime | None:
    """The earliest end of what the changes of a set give back."""
    undone = change_set.changes.filter(reverts__change_set__cause_kind__in=list(_restored)).order_by()
    causes = set(undone.values_list("reverts__change_set__cause_kind", "reverts__change_set__cause_id"))
    moments = [_restored[kind](cause) for kind, cause in causes if cause]
    return min((moment for moment in moments if moment), default=None)


def ends_of(change_sets: Iterable[ChangeSet]) -> dict[UUID, datetime]:
    """The same for several sets, by their id; a query for each kind of cause, and one for what undoes
    something.
    """
    by_kind: dict[str, dict[UUID, list[UUID]]] = defaultdict(lambda: defaultdict(list))
    others = []
    own: dict[UUID, datetime] = {}
    for change_set in change_sets:
        if end := _own_end(change_set):
            own[change_set.pk] = end
        elif change_set.cause_kind in _by_kind and change_set.cause_id:
            by_kind[change_set.cause_kind][change_set.cause_id].append(change_set.pk)
        else:
            others.append(change_set.pk)
    ends = _ends_of_restored(others)
    for kind, sets in by_kind.items():
        for cause, end in _ends_of_kind(_by_kind[kind], list(sets)).items():
            ends |= dict.fromkeys(sets[cause], end)
    return ends | own


def lasts_of(change_sets: Iterable[ChangeSet]) -> dict[UUID, str]:
    """How long what these sets give lasts, in words, by their id: of those whose end is set by their
    approval. A query for each kind of cause.
    """
    by_kind: dict[str, dict[UUID, list[UUID]]] = defaultdict(lambda: defaultdict(list))
    for change_set in change_sets:
        ends = _by_kind.get(change_set.cause_kind)
        if ends and ends.lasts_of and change_set.cause_id:
            by_kind[change_set.cause_kind][change_set.cause_id].append(change_set.pk)
    words: dict[UUID, str] = {}
    for kind, sets in by_kind.items():
        of_kind = _by_kind[kind].lasts_of
        for cause, text in (of_kind(list(sets)) if of_kind else {}).items():
            words |= dict.fromkeys(sets[cause], text)
    return words


def _ends_of_restored(sets: Sequence[UUID]) -> dict[UUID, datetime]:
    undoing = Change.objects.filter(
        change_set__in=sets, reverts__isnull=False, reverts__change_set__cause_kind__in=list(_restored)
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
            known[kind, cause] = _restored[kind](cause)
        end = known[kind, cause]
        if end is not None:
            ends[pk] = min(end, ends.get(pk, end))
    return ends


def _ends_of_kind(kind: Ends, causes: Sequence[UUID]) -> dict[UUID, datetime]:
    if kind.ends_of is not None:
        return kind.ends_of(causes)
    return {cause: end for cause in causes if (end := kind.end_of(cause)) is not None}


def bring_forward(change_set: ChangeSet, *, until: datetime, actor: Viewer) -> None:
    """Have it end earlier. Raises RefusedError, and KeyError for a set without an end."""
    assert change_set.cause_id is not None
    _by_kind[change_set.cause_kind].shorten(change_set.cause_id, until, actor)


def has_own_end(change_set: ChangeSet) -> bool:
    """True if the request asks for a certain end of its own, as an extension does: it is approved as it is,
    or not.
    """
    return _own_end(change_set) is not None


def has_clock(change_set: ChangeSet) -> bool:
    """Whether something of its changes is written anew when their clock starts."""
    return change_set.cause_kind in _by_kind


def started(change: Change, *, at: datetime) -> dict[str, Any]:
    """What of a change is written anew when its clock starts: columns and their values."""
    ends = _by_kind.get(change.change_set.cause_kind)
    return ends.started(change, at) if ends else {}
