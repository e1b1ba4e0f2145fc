"""Presents offboardings and suspensions: status, steps and verification, with tones and icons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from console.changes.presenters import MARKS
from console.runs.progress import RunProgress
from iam.changes.models import OPEN, RUNNING, Change, ChangeState
from iam.people.offboarding.current_access import CUT, UserNow, users_now
from iam.people.offboarding.models import MOVING, SUSPENSION, Leaver, OffboardingStage
from iam.people.offboarding.queries import OffboardedUserChanges

TONES: Final[dict[str, tuple[str, str]]] = {
    OffboardingStage.DRAFT: ("", "pencil"),
    OffboardingStage.WAITING: ("note", "hourglass"),
    OffboardingStage.PLANNED: ("note", "calendar-clock"),
    OffboardingStage.CLOSING: ("info", "loader-circle"),
    OffboardingStage.OPEN: ("bad", "triangle-alert"),
    OffboardingStage.GONE: ("ok", "shield-check"),
    OffboardingStage.RETURNING: ("info", "undo-2"),
    OffboardingStage.RETURNED: ("", "undo-2"),
    OffboardingStage.DELETING: ("info", "trash-2"),
    OffboardingStage.DELETED: ("ok", "check"),
    OffboardingStage.CALLED_OFF: ("", "x"),
    OffboardingStage.PARTLY: ("bad", "triangle-alert"),
    OffboardingStage.SUSPENDING: ("info", "loader-circle"),
    OffboardingStage.SUSPENDED: ("note", "ban"),
    OffboardingStage.CONFIRMED: ("ok", "ban"),
    OffboardingStage.FOLLOWED: ("", "log-out"),
}
"""(tone, icon) of each stage."""
NOT_ENDED: Final = (*OPEN, ChangeState.DRAFT)


@dataclass(frozen=True, slots=True)
class OffboardingStepRow:
    """A change of one user."""

    change: Change
    text: str
    tone: str
    icon: str
    at: datetime | None
    note: str


@dataclass(frozen=True, slots=True)
class ProofRow:
    """A read of AWS in the verification."""

    what: str
    call: str
    at: datetime
    note: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class SeatShown:
    """The user in an account."""

    held: OffboardedUserChanges
    steps: list[OffboardingStepRow]
    rows: list[ProofRow]
    progress: RunProgress
    now: UserNow
    text: str
    tone: str
    icon: str

    @property
    def progress_words(self) -> str:
        """'2 of 3 done', and the number of failed steps that are no longer needed."""
        words = f"{self.progress.applied} of {self.progress.total} done"
        made_good = self.progress.made_good
        if made_good:
            words += f", {made_good} more failed and {'is' if made_good == 1 else 'are'} no longer needed"
        return words


def mark_of(leaver: Leaver) -> tuple[str, str, str]:
    """Return (label, tone, icon) of the stage."""
    return (str(leaver.get_stage_display()), *TONES[leaver.stage])


def is_moving(leaver: Leaver) -> bool:
    """Return whether something will still happen without the viewer, such as an approval."""
    return leaver.stage in MOVING or leaver.stage == OffboardingStage.SUSPENDED


def first_change(seats: Sequence[OffboardedUserChanges]) -> Change | None:
    """Return the change whose page shows the request of these users; None until it exists."""
    return next((seat.changes[0] for seat in seats if seat.changes), None)


def progress_of(seats: Sequence[OffboardedUserChanges]) -> RunProgress:
    """Return the progress of some users; progress of several users adds up.

    A failed step doesn’t count if a later one had the same result, or if AWS showed afterwards that nothing
    is left.
    """
    applied = failed = made_good = 0
    open_states: Counter[str] = Counter()
    for seat in seats:
        done = {change.title for change in seat.changes if change.state == ChangeState.APPLIED}
        is_proved = seat.seat.proved_at is not None
        left = [] if is_proved else [change for change in seat.failed if change.title not in done]
        open_states.update(change.state for change in seat.changes if change.state in NOT_ENDED)
        applied += seat.applied
        failed += len(left)
        made_good += len(seat.failed) - len(left)
    return RunProgress(
        total=applied + failed + open_states.total(),
        applied=applied,
        running=sum(open_states[state] for state in RUNNING),
        failed=failed,
        waiting=open_states[ChangeState.AWAITING],
        drafts=open_states[ChangeState.DRAFT],
        made_good=made_good,
    )


def seats_shown(seats: Sequence[OffboardedUserChanges], leaver: Leaver) -> list[SeatShown]:
    """Return each account with its steps, its verification, and the user's current status."""
    now = users_now([seat.seat for seat in seats])
    return [_seat(seat, leaver, user) for seat, user in zip(seats, now, strict=True)]


def steps_shown(changes: Sequence[Change]) -> list[OffboardingStepRow]:
    """Return each change with its tone."""
    return [_step(change) for change in changes]


def _seat(seat_state: OffboardedUserChanges, leaver: Leaver, now: UserNow) -> SeatShown:
    seat = seat_state.seat
    rows = [_row(row) for row in seat.proof]
    return SeatShown(
        seat_state,
        steps_shown(seat_state.changes),
        rows,
        progress_of([seat_state]),
        now,
        *_mark_of_seat(seat_state, leaver, now),
    )


def _mark_of_seat(seat_state: OffboardedUserChanges, leaver: Leaver, now: UserNow) -> tuple[str, str, str]:
    """Return (label, tone, icon) of a user's current status."""
    seat = seat_state.seat
    if not now.is_there:
        return ("Deleted in AWS", "", "trash-2")
    if leaver.stage in CUT and now.gives_access:
        return ("Gives access again", "bad", "triangle-alert")
    if leaver.stage in SUSPENSION:
        return ("Suspended", "ok", "ban")
    if leaver.stage in CUT and seat.proved_at is not None:
        return ("Access removed", "ok", "shield-check")
    if leaver.stage == OffboardingStage.OPEN and seat.proved_at is not None:
        return ("Access removed", "ok", "shield-check")
    if leaver.stage == OffboardingStage.OPEN and seat.trouble:
        return ("Not fully removed", "bad", "triangle-alert")
    if leaver.stage not in (OffboardingStage.CLOSING, OffboardingStage.SUSPENDING, OffboardingStage.OPEN):
        return mark_of(leaver)
    if seat_state.is_open:
        return ("Removing access", "info", "loader-circle")
    if seat.proved_at is not None:
        return ("Access removed", "ok", "shield-check")
    return ("Checking in AWS", "info", "loader-circle")


def _step(change: Change) -> OffboardingStepRow:
    state = ChangeState(change.state)
    mark = MARKS[state]
    note = ""
    if state == ChangeState.APPLIED:
        reads = f"{change.reads} {'read' if change.reads == 1 else 'reads'}"
        note = "Already done before" if change.already_so else f"Confirmed by {reads} of AWS"
    elif state in (ChangeState.FAILED, ChangeState.UNKNOWN):
        note = change.error_message
    ended_at = change.ended_at if note else None
    return OffboardingStepRow(change, mark.text, mark.tone, mark.icon, ended_at, note)


def _row(row: dict[str, Any]) -> ProofRow:
    at = datetime.fromisoformat(row["at"])
    return ProofRow(row["what"], row["call"], at, row["says"], bool(row["open"]))
