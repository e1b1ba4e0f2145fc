"""Derives the status of a request from the states of its changes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.db.models import Count

from iam.changes.models import RUNNING, Change, ChangeState


class SetState(StrEnum):
    """The status of a request."""

    WAITING = "waiting"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


_CLOSED = {
    ChangeState.REJECTED: SetState.REJECTED,
    ChangeState.CANCELLED: SetState.WITHDRAWN,
    ChangeState.EXPIRED: SetState.EXPIRED,
}


_ENDED_EARLY = frozenset({SetState.FAILED, *_CLOSED.values()})


@dataclass(frozen=True, slots=True)
class SetStanding:
    """The status of a request, with the numbers of done, failed and all changes."""

    state: SetState
    done: int
    failed: int
    total: int

    @property
    def is_only_planned(self) -> bool:
        """True if the request ended before all of it was done: its effect is what was planned."""
        return self.state in _ENDED_EARLY

    @property
    def words(self) -> str:
        """ "3 of 5 changes done, 1 failed"; "" for a single change, or while none is done or failed."""
        if self.total < 2 or not (self.done or self.failed):
            return ""
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.done:,} of {self.total:,} changes done{failed}"


def standing_of_counts(counts: Mapping[str, int]) -> SetStanding:
    """The status from the number of changes by state."""
    done = counts.get(ChangeState.APPLIED, 0)
    failed = counts.get(ChangeState.FAILED, 0)
    return SetStanding(_state(counts), done=done, failed=failed, total=sum(counts.values()))


def standings_of(sets: Iterable[UUID]) -> dict[UUID, SetStanding]:
    """The status of several sets, by id. One query."""
    changes = Change.objects.filter(change_set__in=list(sets)).order_by()
    rows = changes.values_list("change_set", "state").annotate(number=Count("pk"))
    counts: dict[UUID, Counter[str]] = defaultdict(Counter)
    for set_id, state, number in rows:
        counts[set_id][state] += number
    return {set_id: standing_of_counts(of_set) for set_id, of_set in counts.items()}


def _state(counts: Mapping[str, int]) -> SetState:
    if counts.get(ChangeState.AWAITING) or counts.get(ChangeState.DRAFT):
        return SetState.WAITING
    if any(counts.get(state) for state in RUNNING):
        return SetState.IN_PROGRESS
    if counts.get(ChangeState.FAILED):
        return SetState.FAILED
    if counts.get(ChangeState.UNKNOWN):
        return SetState.UNKNOWN
    if counts.get(ChangeState.APPLIED):
        return SetState.DONE
    return next((state for name, state in _CLOSED.items() if counts.get(name)), SetState.WITHDRAWN)
