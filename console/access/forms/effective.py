"""The form of the pages about effective access: a text, an access level, how far, and from which place on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from console.access.forms.base import TypedField
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
GRADES: Final = (
    ("", "Any scope"),
    ("everywhere", "Everywhere"),
    ("limited", "On some resources"),
    ("conditional", "Conditional"),
)


class FilterField(forms.ChoiceField):
    """A choice whose first option is all; `problem` says of anything else that it is left out."""

    def __init__(self, choices: Sequence[tuple[str, str]], *, problem: str) -> None:
        super().__init__(choices=choices, required=False)
        self.problem = problem

    def validate(self, value: Any) -> None:
        """Raises ValidationError for what is no option."""
        if value and not self.valid_value(value):
            raise ValidationError(self.problem.format(value[:40]))


class EffectiveAccessForm(forms.Form):
    """What of somebody's access is shown. What makes no sense is left out, and `problems` says so."""

    level = FilterField(LEVELS, problem="“{}” isn’t an access level, so all are shown.")
    how = FilterField(GRADES, problem="“{}” isn’t a filter, so all are shown.")
    q = TypedField(cut=None)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.problems = [str(errors[0]) for errors in self.errors.values()]
        self.access_level = str(self.cleaned_data.get("level", ""))
        self.grade = str(self.cleaned_data.get("how", ""))
        self.text = str(self.cleaned_data["q"])
        self.after = data.get("after", "")[:MAX_TEXT_LENGTH]

    def clean_q(self) -> str:
        """The words that are looked for."""
        return " ".join(str(self.cleaned_data["q"]).replace("\x00", "")[:MAX_TEXT_LENGTH].split())

    @property
    def levels(self) -> tuple[AccessLevel, ...]:
        """The access levels that are asked for."""
        if self.access_level == ABOVE:
            return (AccessLevel.WRITE, AccessLevel.PERMISSIONS, AccessLevel.TAGGING)
        return (actions.LEVELS[self.access_level],) if self.access_level else tuple(AccessLevel)

    @property
    def is_filtered(self) -> bool:
        """Whether it asks for anything less than all."""
        return bool(self.text or self.access_level or self.grade)

    @property
    def level_choices(self) -> list[tuple[str, str, bool]]:
        """(value, label, chosen)."""
        return [(value, label, value == self.access_level) for value, label in LEVELS]

    @property
    def grade_choices(self) -> list[tuple[str, str, bool]]:
        """(value, label, chosen)."""
        return [(value, label, value == self.grade) for value, label in GRADES]

    def matches_levels(self, level: AccessLevel | None, grade: AccessGrade) -> bool:
        """Whether an action is asked for; one without a known level is, unless levels are."""
        fits = level in self.levels if level is not None else not self.access_level
        return fits and self.grade in {"", str(grade)}
