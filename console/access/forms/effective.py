"""The filter form of effective access: text, access level, grade and position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from console.access.forms.base import TypedField
from console.web.access_levels import plain_label
from iam.access import actions
from iam.access.effective import AccessGrade
from iam.policy.catalogue import AccessLevel

MAX_TEXT_LENGTH: Final = 200
ABOVE: Final = "write-up"
LEVELS: Final = (
    ("", "Any access level"),
    (ABOVE, "Write and up"),
    *((key, str(level)) for key, level in actions.LEVELS.items()),
)
PLAIN_LEVELS: Final = (
    ("", "Any kind"),
    (ABOVE, "More than list and read"),
    *((key, plain_label(level)) for key, level in actions.LEVELS.items()),
)
"""The same for people who don’t know AWS’s terms."""
GRADES: Final = (
    ("", "Any scope"),
    ("everywhere", "Everywhere"),
    ("limited", "On some resources"),
    ("conditional", "Conditional"),
)


class FilterField(forms.ChoiceField):
    """A select whose first option means all; invalid values are ignored and reported in `problems`."""

    def __init__(self, choices: Sequence[tuple[str, str]], *, problem: str) -> None:
        super().__init__(choices=choices, required=False)
        self.problem = problem

    def validate(self, value: Any) -> None:
        """Raise ValidationError for a value that isn’t an option."""
        if value and not self.valid_value(value):
            raise ValidationError(self.problem.format(value[:40]))


class EffectiveAccessForm(forms.Form):
    """A filter of effective access; invalid values are ignored and reported in `problems`."""

    level = FilterField(LEVELS, problem="“{}” isn’t an access level, so all are shown.")
    how = FilterField(GRADES, problem="“{}” isn’t a filter, so all are shown.")
    q = TypedField(cut=None)

    def __init__(self, data: QueryDict, *, plain: bool = False) -> None:
        super().__init__(data)
        self.plain = plain
        self.problems = [str(errors[0]) for errors in self.errors.values()]
        self.access_level = str(self.cleaned_data.get("level", ""))
        self.grade = str(self.cleaned_data.get("how", ""))
        self.text = str(self.cleaned_data["q"])
        self.after = data.get("after", "")[:MAX_TEXT_LENGTH]

    def clean_q(self) -> str:
        """Return the search words."""
        return " ".join(str(self.cleaned_data["q"]).replace("\x00", "")[:MAX_TEXT_LENGTH].split())

    @property
    def levels(self) -> tuple[AccessLevel, ...]:
        """The access levels to filter by."""
        if self.access_level == ABOVE:
            return (AccessLevel.WRITE, AccessLevel.PERMISSIONS, AccessLevel.TAGGING)
        return (actions.LEVELS[self.access_level],) if self.access_level else tuple(AccessLevel)

    @property
    def is_filtered(self) -> bool:
        """Whether anything is filtered."""
        return bool(self.text or self.access_level or self.grade)

    @property
    def level_choices(self) -> list[tuple[str, str, bool]]:
        """Return (value, label, is chosen) per access level."""
        levels = PLAIN_LEVELS if self.plain else LEVELS
        return [(value, label, value == self.access_level) for value, label in levels]

    @property
    def level_label(self) -> str:
        """The name of the filter by access level."""
        return "What it lets them do" if self.plain else "Access level"

    @property
    def grade_choices(self) -> list[tuple[str, str, bool]]:
        """Return (value, label, is chosen) per grade."""
        return [(value, label, value == self.grade) for value, label in GRADES]

    def matches_levels(self, level: AccessLevel | None, grade: AccessGrade) -> bool:
        """Return whether an action matches; an action of unknown level doesn’t match if levels are chosen."""
        fits = level in self.levels if level is not None else not self.access_level
        return fits and self.grade in {"", str(grade)}
