"""When what a set gives ends, and how that is brought forward: what it was made for knows, and registers it here.

A layer above registers in its `AppConfig.ready` for the kind of cause that its sets have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from iam.changes.models import Change, ChangeSet
from iam.guard import Viewer


@dataclass(frozen=True, slots=True)
class Ends:
    """`end_of` gives the end of what a cause gives (None: it has none), `shorten` brings it forward and raises RefusedError.

    `started` is asked within the transaction that queues a change, and gives the columns that are another now that the clock runs: what was asked for as
    a time from the approval on is a moment then.
    """

    end_of: Callable[[UUID], datetime | None]
    shorten: Callable[[UUID, datetime, Viewer], None]
    started: Callable[[Change, datetime], dict[str, Any]]


_by_kind: dict[str, Ends] = {}


def register(kind: str, ends: Ends) -> None:
    """Tell how the sets of this kind of cause end."""
    _by_kind[kind] = ends


def end_of(change_set: ChangeSet) -> datetime | None:
    """When what the set gives ends by itself; None where it does not, or nobody knows."""
    ends = _by_kind.get(change_set.cause_kind)
    return ends.end_of(change_set.cause_id) if ends and change_set.cause_id else None


def bring_forward(change_set: ChangeSet, *, until: datetime, actor: Viewer) -> None:
    """Have it end earlier. Raises RefusedError, and KeyError for a set without an end."""
    assert change_set.cause_id is not None
    _by_kind[change_set.cause_kind].shorten(change_set.cause_id, until, actor)


def has_clock(change_set: ChangeSet) -> bool:
    """Whether something of its changes is written anew when their clock starts."""
    return change_set.cause_kind in _by_kind


def started(change: Change, *, at: datetime) -> dict[str, Any]:
    """What of a change is written anew when its clock starts: columns and their values."""
    ends = _by_kind.get(change.change_set.cause_kind)
    return ends.started(change, at) if ends else {}
