"""Runs as their page shows them: progress in total, and each person's lines with tones and icons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iam.people.onboarding.checklist import Checklist, Item, Standing

MARKS: dict[Standing, tuple[str, str, str]] = {
    Standing.TODO: ("Not started", "", "circle-dashed"),
    Standing.DOING: ("In progress", "info", "loader-circle"),
    Standing.PERSON: ("Waiting for the person", "note", "hourglass"),
    Standing.INVITE: ("Needs another invitation", "warn", "hourglass"),
    Standing.DONE: ("Done", "ok", "circle-check"),
    Standing.FAILED: ("Failed", "bad", "circle-alert"),
    Standing.OVER: ("Access ended", "", "ban"),
    Standing.CLOSED: ("Cancelled", "", "x"),
}
"""(words, tone, icon) of each standing."""
SAYS = (Standing.TODO, Standing.OVER)
"""Standings that say more about an item than their words."""


@dataclass(frozen=True, slots=True)
class ItemShown:
    """A line."""

    item: Item
    text: str
    tone: str
    icon: str


@dataclass(frozen=True, slots=True)
class PersonShown:
    """A person. `is_over`: nothing more is waited for."""

    checklist: Checklist
    text: str
    tone: str
    icon: str
    items: list[ItemShown]
    is_open: bool
    is_over: bool

    @property
    def total(self) -> int:
        """Lines."""
        return len(self.items)


def person_rows(checklists: Sequence[Checklist]) -> list[PersonShown]:
    """Each person; the first who needs somebody is open."""
    rows = []
    for checklist in checklists:
        text, tone, icon = MARKS[checklist.standing]
        if checklist.standing is Standing.DONE:
            text = "All done"
        items = []
        for item in checklist.items:
            words, mark, sign = MARKS[item.standing]
            says = item.says if item.standing in SAYS and item.says else words
            items.append(ItemShown(item, says, mark, sign))
        if checklist.standing is Standing.OVER:
            text = next(item.text for item in items if item.item.standing is Standing.OVER)
        is_over = checklist.standing in (Standing.DONE, Standing.CLOSED, Standing.OVER, Standing.FAILED)
        rows.append(
            PersonShown(
                checklist,
                text,
                tone,
                icon,
                items,
                checklist.standing is Standing.FAILED or len(checklists) == 1,
                is_over,
            )
        )
    return rows
