"""Registers what is special about each kind of cause of change sets, such as a grant, in `AppConfig.ready` of
its package.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from iam.changes.approval.models import BreakGlass
from iam.changes.models import Change, ChangeSet
from iam.guard import Viewer


@dataclass(frozen=True, slots=True)
class CauseEnds:
    """Functions for the end dates of a kind of cause.

    `end_of` returns the end date of a cause (None: permanent), `ends_of` those of several. `shorten` moves it
    earlier and raises RefusedError. `lasts_of` returns durations in words if the end date is set at approval:
    "for 14 days after approval". `started` runs in the transaction that queues a change and returns its
    changed columns: a duration from approval becomes an end date.
    """

    end_of: Callable[[UUID], datetime | None]
    shorten: Callable[[UUID, datetime, Viewer], None]
    started: Callable[[Change, datetime], dict[str, Any]]
    ends_of: Callable[[Sequence[UUID]], dict[UUID, datetime]] | None = None
    lasts_of: Callable[[Sequence[UUID]], dict[UUID, str]] | None = None


@dataclass(frozen=True, slots=True)
class CauseKind:
    """What is special about change sets of one kind of cause.

    `ends`: the end dates of what they give. `restored_end`: for sets that remove access, the end date that
    applies again after an undo. `reach`: the viewer, extended by what they can request beyond their own
    scope. `told`: people whom the higher layer notifies of the end, so that they are not notified twice.
    `reviewed` runs after the review of a set applied without approval (with review, reviewer, comment and
    verdict) and can undo it in its own way.
    """

    ends: CauseEnds | None = None
    restored_end: Callable[[UUID], datetime | None] | None = None
    reach: Callable[[UUID, Viewer], Viewer] | None = None
    told: Callable[[UUID], set[UUID]] | None = None
    reviewed: Callable[[BreakGlass, Viewer, str, str], list[Change]] | None = None


KINDS: Final[dict[str, CauseKind]] = {}
NOTHING_SPECIAL: Final = CauseKind()


def register(name: str, kind: CauseKind) -> None:
    """Register, once, what is special about this `cause_kind`."""
    if name in KINDS:
        raise ValueError(f"The kind of cause {name} is registered already.")
    KINDS[name] = kind


def kind_of(change_set: ChangeSet) -> CauseKind:
    """What is special about the cause of a set."""
    return KINDS.get(change_set.cause_kind, NOTHING_SPECIAL)
