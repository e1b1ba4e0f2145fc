"""Fields that several forms have, and what a service says beside the field that it is about."""

from __future__ import annotations

from typing import Protocol

from django import forms

from console.web.text import reads_as_stored
from iam.changes.services.requests import MAX_REASON


class FieldRefusal(Protocol):
    """What a service refused; `field` is that of the form, or "" for the whole."""

    field: str
    message: str


def add_service_error(form: forms.Form, error: FieldRefusal) -> None:
    """Put what a service says beside the field that it is about."""
    field = error.field if error.field in form.fields else None
    form.add_error(field, error.message)


def name_field(*, max_length: int, hint: str) -> forms.CharField:
    """How something that is requested or kept is called."""
    return forms.CharField(
        max_length=max_length,
        validators=[reads_as_stored],
        error_messages={"required": "Enter a name."},
        help_text=hint,
        widget=forms.TextInput(attrs={"class": "input"}),
    )


def reason_field() -> forms.CharField:
    """Why something is requested."""
    return forms.CharField(
        max_length=MAX_REASON,
        validators=[reads_as_stored],
        error_messages={"required": "Enter a reason. Approvers and auditors read it."},
        widget=forms.Textarea(attrs={"class": "input", "rows": 3}),
    )


def lines_field(
    label: str, hint: str, *, max_length: int = 20_000, rows: int = 3, missing: str = ""
) -> forms.CharField:
    """A text of lines, for `distinct_lines`; `missing` is said where there is none, and "" allows that."""
    return forms.CharField(
        max_length=max_length,
        label=label,
        help_text=f"{hint} One per line.",
        required=bool(missing),
        error_messages={"required": missing},
        validators=[reads_as_stored],
        widget=forms.Textarea(attrs={"class": "input mono", "rows": rows, "spellcheck": "false"}),
    )
