"""Leavers as their pages show them: stages, steps and readings with tones and icons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from iam.changes.models import OPEN, Change, ChangeState
from iam.people.leaving.models import MOVING, Leaver, Stage
from iam.people.leaving.queries import Held

TONES: Final[dict[str, tuple[str, str]]] = {
    Stage.DRAFT: ("", "pencil"),
    Stage.WAITING: ("note", "hourglass"),
    Stage.PLANNED: ("note", "calendar-clock"),
    Stage.CLOSING: ("info", "loader-circle"),
    Stage.OPEN: ("bad", "triangle-alert"),
    Stage.GONE: ("ok", "shield-check"),
    Stage.RETURNING: ("info", "undo-2"),
    Stage.RETURNED: ("", "undo-2"),
    Stage.DELETING: ("info", "trash-2"),
    Stage.DELETED: ("ok", "check"),
    Stage.CALLED_OFF: ("", "x"),
}
"""(tone, icon) of each stage."""
_STEPS: Final[dict[str, tuple[str, str, str]]] = {
    ChangeState.AWAITING: ("Waits for approval", "note", "hourglass"),
    ChangeState.QUEUED: ("Queued", "", "circle-dashed"),
    ChangeState.APPLYING: ("Applying", "info", "loader-circle"),
    ChangeState.CONFIRMING: ("Confirming", "info", "loader-circle"),
    ChangeState.APPLIED: ("Done", "ok", "circle-check"),
    ChangeState.FAILED: ("Failed", "bad", "circle-alert"),
    ChangeState.UNKNOWN: ("Unknown", "bad", "circle-help"),
}


@dataclass(frozen=True, slots=True)
class StepShown:
    """One change of a seat."""

    change: Change
    text: str
    tone: str
    icon: str
    at: datetime | None
    says: str


@dataclass(frozen=True, slots=True)
class RowShown:
    """One reading of the proof."""

    what: str
    call: str
    at: datetime
    says: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class SeatShown:
    """One account."""

    held: Held
    steps: list[StepShown]
    rows: list[RowShown]
    text: str
    tone: str
    icon: str

    @property
    def done(self) -> int:
        """Steps that came true."""
        return self.held.applied


@dataclass(frozen=True, slots=True)
class Progress:
    """The steps of a leaver by how they stand."""

    total: int
    applied: int
    failed: int
    running: int

    @property
    def bar(self) -> dict[str, float]:
        """Shares of the bar in percent."""
        whole = max(1, self.total)
        return {
            "applied": 100 * self.applied / whole,
            "running": 100 * self.running / whole,
            "failed": 100 * self.failed / whole,
        }


def mark_of(leaver: Leaver) -> tuple[str, str, str]:
    """(words, tone, icon) of the stage."""
    return (str(leaver.get_stage_display()), *TONES[leaver.stage])


def is_moving(leaver: Leaver) -> bool:
    """Whether something is still to come by itself, or by an approver."""
    return leaver.stage in MOVING


def progress_of(seats: Sequence[Held]) -> Progress:
    """Over all accounts; what failed and was ended later counts as done."""
    changes = [one for held in seats for one in held.changes]
    again = {_matter(one) for one in changes if one.state == ChangeState.APPLIED}
    failed = [one for held in seats for one in held.failed if _matter(one) not in again]
    applied = sum(one.state == ChangeState.APPLIED for one in changes)
    running = sum(one.state in (ChangeState.APPLYING, ChangeState.CONFIRMING) for one in changes)
    waits = sum(one.state in OPEN for one in changes)
    return Progress(applied + waits + len(failed), applied, len(failed), running)


def seats_shown(seats: Sequence[Held], leaver: Leaver) -> list[SeatShown]:
    """Each account, with its steps and what AWS showed."""
    return [_seat(one, leaver) for one in seats]


def steps_shown(changes: Sequence[Change]) -> list[StepShown]:
    """Each change with its tone."""
    return [_step(one) for one in changes]


def _seat(held: Held, leaver: Leaver) -> SeatShown:
    seat = held.seat
    if seat.proved_at is not None:
        mark = ("Proved", "ok", "shield-check")
    elif leaver.stage == Stage.OPEN and seat.trouble:
        mark = ("Still open", "bad", "triangle-alert")
    elif leaver.stage in (Stage.WAITING, Stage.PLANNED, Stage.CALLED_OFF):
        mark = mark_of(leaver)
    elif held.is_open:
        mark = ("Ending", "info", "loader-circle")
    else:
        mark = ("Being read again", "info", "loader-circle")
    return SeatShown(held, steps_shown(held.changes), [_row(one) for one in seat.proof], *mark)


def _step(change: Change) -> StepShown:
    state = ChangeState(change.state)
    text, tone, icon = _STEPS.get(state, (str(state.label), "", "x"))
    says = ""
    if state == ChangeState.APPLIED:
        reads = f"{change.reads} {'reading' if change.reads == 1 else 'readings'}"
        says = "It was so already" if change.already_so else f"Confirmed by {reads}"
    elif state in (ChangeState.FAILED, ChangeState.UNKNOWN):
        says = change.error_message
    return StepShown(change, text, tone, icon, change.ended_at if says else None, says)


def _row(row: dict[str, Any]) -> RowShown:
    at = datetime.fromisoformat(row["at"])
    return RowShown(row["what"], row["call"], at, row["says"], bool(row["open"]))


def _matter(change: Change) -> tuple[int, str]:
    return change.account_id, change.title
