"""Presents runs: total progress, and each person's steps with tones and icons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iam.people.onboarding.checklist import ChecklistItem, PersonChecklist, StepStatus

MARKS: dict[StepStatus, tuple[str, str, str]] = {
    StepStatus.TODO: ("Not started", "", "circle-dashed"),
    StepStatus.DOING: ("In progress", "info", "loader-circle"),
    StepStatus.PERSON: ("Waiting for the person", "note", "hourglass"),
    StepStatus.INVITE: ("Needs another invitation", "warn", "hourglass"),
    StepStatus.DONE: ("Done", "ok", "circle-check"),
    StepStatus.FAILED: ("Failed", "bad", "circle-alert"),
    StepStatus.OVER: ("Access ended", "", "ban"),
    StepStatus.CLOSED: ("Cancelled", "", "x"),
}
"""(label, tone, icon) of each status."""
SAYS = (StepStatus.TODO, StepStatus.OVER)
"""Statuses whose items show a note instead of the label."""


@dataclass(frozen=True, slots=True)
class ItemShown:
    """A step of a person."""

    item: ChecklistItem
    text: str
    tone: str
    icon: str


@dataclass(frozen=True, slots=True)
class PersonShown:
    """A person; `is_over` means that nothing is pending, `is_submitting` that the request is still being
    written.
    """

    checklist: PersonChecklist
    text: str
    tone: str
    icon: str
    items: list[ItemShown]
    is_open: bool
    is_over: bool
    is_submitting: bool

    @property
    def numbers(self) -> str:
        """'3 of 5 changes done, 1 of 4 of their own steps done'; the changes of all people add up to those of
        the run.
        """
        checklist = self.checklist
        parts = ["Not requested yet" if self.is_submitting else "No changes needed"]
        if checklist.changes:
            parts = [_done_of(checklist.changes_done, checklist.changes, "change")]
        if checklist.own_items:
            parts.append(f"{checklist.own_done} of {len(checklist.own_items)} of their own steps done")
        return ", ".join(parts)


def _done_of(done: int, total: int, noun: str) -> str:
    return f"{done} of {total} {noun}{'' if total == 1 else 's'} done"


def person_rows(checklists: Sequence[PersonChecklist], *, is_submitting: bool = False) -> list[PersonShown]:
    """Return the row of each person; the first who needs attention is open."""
    rows = []
    for checklist in checklists:
        # A user who was there before ticks a line as well; nothing was done for them yet.
        has_progress = checklist.changes_done > 0 or checklist.own_done > 0
        is_begun = checklist.standing is StepStatus.TODO and has_progress
        standing = StepStatus.DOING if is_begun else checklist.standing
        text, tone, icon = MARKS[standing]
        if checklist.standing is StepStatus.DONE:
            text = "All done"
        items = []
        for item in checklist.items:
            words, mark, sign = MARKS[item.standing]
            note = item.note if item.standing in SAYS and item.note else words
            items.append(ItemShown(item, note, mark, sign))
        if checklist.standing is StepStatus.OVER:
            text = next(item.text for item in items if item.item.standing is StepStatus.OVER)
        is_over = checklist.standing in (
            StepStatus.DONE,
            StepStatus.CLOSED,
            StepStatus.OVER,
            StepStatus.FAILED,
        )
        rows.append(
            PersonShown(
                checklist,
                text,
                tone,
                icon,
                items,
                checklist.standing is StepStatus.FAILED or len(checklists) == 1,
                is_over,
                is_submitting,
            )
        )
    return rows
