"""Form fields that several forms share, and service errors shown at a form's field."""

from __future__ import annotations

from typing import Protocol

from django import forms

from console.web.text import reads_as_stored
from iam.changes.services.requests import MAX_REASON


class FieldRefusal(Protocol):
    """An error that a service raised, with the message of each wrong field of the form; that of the whole
    form is under "".
    """

    errors: dict[str, str]


def add_service_error(form: forms.Form, error: FieldRefusal) -> None:
    """Add what a service refused to the fields it is about, unless they have an error already."""
    for name, message in error.errors.items():
        field = name if name in form.fields else None
        if field is None or field not in form.errors:
            form.add_error(field, message)


def errors_by_field(error: FieldRefusal) -> dict[str, str]:
    """Return the messages by field; that of the whole form is under "form"."""
    return {name or "form": message for name, message in error.errors.items()}


def name_field(*, max_length: int, hint: str) -> forms.CharField:
    """Return a field for the name of something that is requested or saved."""
    return forms.CharField(
        max_length=max_length,
        validators=[reads_as_stored],
        error_messages={"required": "Enter a name."},
        help_text=hint,
        widget=forms.TextInput(attrs={"class": "input"}),
    )


def reason_field() -> forms.CharField:
    """Return a field for the reason of a request."""
    return forms.CharField(
        max_length=MAX_REASON,
        validators=[reads_as_stored],
        error_messages={"required": "Enter a reason. Approvers and auditors read it."},
        widget=forms.Textarea(attrs={"class": "input", "rows": 3}),
    )


def lines_field(
    label: str, hint: str, *, max_length: int = 20_000, rows: int = 3, missing: str = ""
) -> forms.CharField:
    """Return a textarea to be parsed by `distinct_lines`.

    `missing` is the error for an empty field; "" makes the field optional.
    """
    return forms.CharField(
        max_length=max_length,
        label=label,
        help_text=f"{hint} One per line.",
        required=bool(missing),
        error_messages={"required": missing},
        validators=[reads_as_stored],
        widget=forms.Textarea(attrs={"class": "input mono", "rows": rows, "spellcheck": "false"}),
    )
