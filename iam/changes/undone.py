"""Finds out which changes of a request were undone: all, some or none."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from iam.changes.models import OPEN, Change, ChangeState
from iam.changes.queries import visible_changes
from iam.changes.set_state import SetState, standing_of_counts
from iam.guard import Viewer


@dataclass(frozen=True, slots=True)
class UndoneParts:
    """Of the changes of a request that had an effect in AWS (`total`): those that are undone now, and those
    whose undo is requested.
    """

    undone: frozenset[UUID]
    requested: frozenset[UUID]
    total: int

    @property
    def words(self) -> str:
        """ "Undone" or "Undone in part: 1 of 3 changes", and the same with "Undo requested"; "" if neither
        applies.
        """
        texts = [_words("Undone", len(self.undone), self.total)]
        texts.append(_words("Undo requested", len(self.requested), self.total))
        return ", ".join(text for text in texts if text)

    def words_of(self, change: UUID) -> str:
        """The status of one of these changes: "Undone", "Undo requested" or ""."""
        if change in self.undone:
            return "Undone"
        return "Undo requested" if change in self.requested else ""


NOTHING_UNDONE = UndoneParts(frozenset(), frozenset(), 0)


@dataclass(frozen=True, slots=True)
class Undoing:
    """A request that undoes changes of another request: its first change that the viewer sees, its status,
    and the number of its changes.

    `undone` counts the changes that it has undone and that were not applied again since. `total` counts those
    of the other request that had an effect.
    """

    change: Change
    state: SetState
    undone: int
    changes: int
    total: int

    @property
    def words(self) -> str:
        """ "Undone in part by", to be followed by the reference of this request."""
        if self.undone:
            return "Undone by" if self.undone >= self.total else "Undone in part by"
        return _UNDOING_WORDS[self.state]

    @property
    def extent(self) -> str:
        """ "1 of 3 changes"; "" if the request that it undoes has a single change."""
        number = self.undone or self.changes
        return f"{number:,} of {self.total:,} changes" if self.total > 1 else ""


_UNDOING_WORDS = {
    SetState.WAITING: "Undo requested",
    SetState.IN_PROGRESS: "Undo in progress",
    SetState.DONE: "Undone, then applied again",
    SetState.FAILED: "Undo failed",
    SetState.UNKNOWN: "Undo with unknown outcome",
    SetState.REJECTED: "Undo rejected",
    SetState.WITHDRAWN: "Undo withdrawn",
    SetState.EXPIRED: "Undo expired",
}


def undone_parts_of(sets: Iterable[UUID], *, viewer: Viewer) -> dict[UUID, UndoneParts]:
    """Return the undone and requested parts by request, for those of which something was undone or an undo
    was requested, as far as the viewer sees their changes.

    One query if there are none.
    """
    wanted = set(sets)
    undone, requested = _undone_and_requested(wanted)
    concerned = undone.keys() | requested.keys()
    if not concerned:
        return {}
    seen = visible_changes(viewer).filter(change_set__in=concerned, state=ChangeState.APPLIED)
    effective: dict[UUID, set[UUID]] = defaultdict(set)
    for change_set, change in seen.filter(already_so=False).order_by().values_list("change_set", "pk"):
        effective[change_set].add(change)
    parts = {}
    for change_set, changes in effective.items():
        parts[change_set] = UndoneParts(
            undone=frozenset(undone[change_set] & changes),
            requested=frozenset((requested[change_set] - undone[change_set]) & changes),
            total=len(changes),
        )
    return parts


def undoings_of(parts: Sequence[Change], *, viewer: Viewer) -> list[Undoing]:
    """Return the requests that undo some of these changes of one request, newest first."""
    visible = visible_changes(viewer).filter(reverts__in=[part.pk for part in parts])
    by_set: dict[UUID, list[Change]] = defaultdict(list)
    for change in visible.order_by("-created_at", "position"):
        by_set[change.change_set_id].append(change)
    if not by_set:
        return []
    undone_by_set, _ = _undone_and_requested({part.change_set_id for part in parts})
    undone = set().union(*undone_by_set.values())
    effective = [part for part in parts if part.state == ChangeState.APPLIED and not part.already_so]
    undoings = []
    for changes in by_set.values():
        state = standing_of_counts(Counter(change.state for change in changes)).state
        applied = [change for change in changes if change.state == ChangeState.APPLIED]
        undoings.append(
            Undoing(
                change=changes[0],
                state=state,
                undone=sum(change.reverts_id in undone for change in applied),
                changes=len(changes),
                total=len(effective),
            )
        )
    return undoings


def _undone_and_requested(sets: set[UUID]) -> tuple[dict[UUID, set[UUID]], dict[UUID, set[UUID]]]:
    """By set, its changes that are undone now, and those whose undo is requested.

    An undo that was undone itself doesn't count, unless that was undone as well. Makes one query for each
    level of undos of undos, and one more.
    """
    requested: dict[UUID, set[UUID]] = defaultdict(set)
    levels: list[list[tuple[UUID, UUID, UUID]]] = []
    path = "reverts"
    while True:
        undoings = Change.objects.filter(
            **{f"{path}__change_set__in": sets}, state__in=[*OPEN, ChangeState.APPLIED]
        )
        rows = []
        for change_set, change, pk, state in undoings.order_by().values_list(
            f"{path}__change_set", "reverts", "pk", "state"
        ):
            if state == ChangeState.APPLIED:
                rows.append((change_set, change, pk))
            elif not levels:
                requested[change_set].add(change)
        if not rows:
            break
        levels.append(rows)
        path = f"{path}__reverts"
    undone: dict[UUID, set[UUID]] = defaultdict(set)
    undone_again: set[UUID] = set()
    for rows in reversed(levels):
        undone = defaultdict(set)
        for change_set, change, undoing in rows:
            if undoing not in undone_again:
                undone[change_set].add(change)
        undone_again = set().union(*undone.values())
    return undone, requested


def _words(words: str, number: int, total: int) -> str:
    if not number:
        return ""
    if number >= total:
        return words
    return f"{words} in part: {number:,} of {total:,} changes"
