"""What sets of changes are made for: each kind of cause, such as a grant, tells here what only its package
knows. It registers in the `AppConfig.ready` of that package.
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


@dataclass(frozen=True, slots=True)
class CauseKind:
    """What is special about sets of a kind of cause.

    `ends`: when what they give ends. `restored_end`: when that ends which is there again once such a set,
    which takes something away, is undone. `reach`: the same viewer, who may request what the cause is about
    beyond their own scope. `told`: the people whom the higher layer tells that it is done, and who aren't
    told it twice. `reviewed` follows the review of a set that was applied without approval (the review, the
    reviewer, the comment, the verdict), and carries out an undoing in its own way.
    """

    ends: CauseEnds | None = None
    restored_end: Callable[[UUID], datetime | None] | None = None
    reach: Callable[[UUID, Viewer], Viewer] | None = None
    told: Callable[[UUID], set[UUID]] | None = None
    reviewed: Callable[[BreakGlass, Viewer, str, str], list[Change]] | None = None


KINDS: Final[dict[str, CauseKind]] = {}
NOTHING_SPECIAL: Final = CauseKind()


def register(name: str, kind: CauseKind) -> None:
    """Tell, once, what is special about sets whose `cause_kind` is this."""
    if name in KINDS:
        raise ValueError(f"The kind of cause {name} is registered already.")
    KINDS[name] = kind


def kind_of(change_set: ChangeSet) -> CauseKind:
    """What is special about a set."""
    return KINDS.get(change_set.cause_kind, NOTHING_SPECIAL)
