"""What an address of the pages about effective access asks for: a text, an access level, how far, from which
place on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from console.access.bars import NAMES, ORDER
from console.web.access import ViewerRequest
from iam.access.effective import Grade
from iam.policy.catalogue import Level

LONGEST: Final = 200
ABOVE: Final = "write-up"
LEVELS: Final = (
    ("", "Any access level"),
    (ABOVE, "Write and up"),
    *((key, str(level)) for key, level in NAMES.items()),
)
GRADES: Final = (
    ("", "Any scope"),
    ("everywhere", "Everywhere"),
    ("limited", "On some resources"),
    ("conditional", "Conditional"),
)


@dataclass(frozen=True, slots=True)
class Asking:
    """An address, read. `problems` are sentences about what in it made no sense and was left out."""

    text: str
    level: str
    grade: str
    after: str
    problems: tuple[str, ...]

    @property
    def levels(self) -> tuple[Level, ...]:
        """The access levels that are asked for."""
        if self.level == ABOVE:
            return (Level.WRITE, Level.PERMISSIONS, Level.TAGGING)
        return (NAMES[self.level],) if self.level else ORDER

    @property
    def is_filtered(self) -> bool:
        """Whether it asks for anything less than all."""
        return bool(self.text or self.level or self.grade)

    @property
    def level_choices(self) -> list[tuple[str, str, bool]]:
        """(value, label, chosen)."""
        return [(value, label, value == self.level) for value, label in LEVELS]

    @property
    def grade_choices(self) -> list[tuple[str, str, bool]]:
        """(value, label, chosen)."""
        return [(value, label, value == self.grade) for value, label in GRADES]

    def wants(self, level: Level | None, grade: Grade) -> bool:
        """Whether an action is asked for; one without a known level is, unless levels are."""
        fits = level in self.levels if level is not None else not self.level
        return fits and self.grade in {"", str(grade)}


def read_asking(request: ViewerRequest) -> Asking:
    """The address of a request."""
    get, problems = request.GET, list[str]()
    level, grade = get.get("level", ""), get.get("how", "")
    if level not in dict(LEVELS):
        problems.append(f"“{level[:40]}” isn’t an access level, so all are shown.")
        level = ""
    if grade not in dict(GRADES):
        problems.append(f"“{grade[:40]}” isn’t a filter, so all are shown.")
        grade = ""
    text = " ".join(get.get("q", "").replace("\x00", "")[:LONGEST].split())
    return Asking(text, level, grade, get.get("after", "")[:LONGEST], tuple(problems))
