"""Questions of an action, and parsing and validation of the answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from console.web.text import distinct_lines
from iam.changes.acts.options import Choices

TEXT, LONG, DOCUMENT, NUMBER, FLAG, TAGS, LINES, CHOICE, NAME, HIDDEN = (
    "text",
    "long",
    "document",
    "number",
    "flag",
    "tags",
    "lines",
    "choice",
    "name",
    "hidden",
)
"""Types of answers: one line, several lines, a policy document, a whole number, a checkbox, tags (one per
line, key = value), a list (one per line), a choice, the name or ARN of an object in the account (`choices`
are suggestions), or a hidden value.
"""
MAX_LENGTHS: Final = {LONG: 10_000_000, DOCUMENT: 131_072, TAGS: 20_000, LINES: 20_000, NUMBER: 12}
MAX_LENGTH: Final = 2_048


@dataclass(frozen=True, slots=True)
class ActField:
    """A question.

    `choices` returns (value, label) for a subject, `start` returns the initial value, and `example` is a
    sample value. With `is_checked_later` the operation reports a missing value.
    """

    name: str
    label: str
    kind: str = TEXT
    hint: str = ""
    is_needed: bool = True
    is_checked_later: bool = False
    choices: Callable[[Any], Choices] | None = None
    start: Callable[[Any], str] | None = None
    low: int = 0
    high: int = 0
    example: str = ""

    def error(self, problem: str) -> ValidationError:
        """Return a validation error that starts with the field's label."""
        return ValidationError(f"{self.label}: {problem}")


def session_hours(start: Callable[[Any], str]) -> ActField:
    """Return the field for a role's maximum session duration."""
    return ActField(
        "hours",
        "Maximum session duration in hours",
        NUMBER,
        hint="A whole number from 1 to 12.",
        low=1,
        high=12,
        start=start,
    )


class ActAnswerField(forms.Field):
    """Form field for the answer to a question about a subject."""

    def __init__(self, question: ActField, subject: Any) -> None:
        super().__init__(required=False, label=question.label, help_text=question.hint)
        self.question = question
        self.subject = subject

    def clean(self, value: Any) -> Any:
        """Parse the text. Raises ValidationError with a message."""
        question, text = self.question, str(value or "")
        limit = MAX_LENGTHS.get(question.kind, MAX_LENGTH)
        if len(text) > limit:
            raise question.error(f"{len(text):,} characters is too long. The limit is {limit:,}.")
        if question.kind == FLAG:
            return bool(text)
        # Forms send \r\n and scripts send \n; both mean the same text.
        text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\ufeff").strip()
        if text:
            reader = _READERS.get(question.kind)
            return text if reader is None else reader(question, text, self.subject)
        if question.is_needed and not question.is_checked_later and question.kind not in (TAGS, LINES):
            wanted = "choose an option" if question.kind == CHOICE else "this field is required"
            raise question.error(f"{wanted}.")
        nothing: dict[str, Any] = {TAGS: {}, LINES: [], NUMBER: None}
        return nothing.get(question.kind, "")


def _number(field: ActField, text: str, subject: Any) -> int:
    digits = text.replace(",", "").replace(" ", "")
    if not digits.isdecimal() or not field.low <= int(digits) <= field.high:
        raise field.error(f"“{text}” isn’t a whole number from {field.low:,} to {field.high:,}.")
    return int(digits)


def _document(field: ActField, text: str, subject: Any) -> str:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise field.error(f"this isn’t valid JSON: {str(error)[:200]}.") from None
    if not isinstance(body, dict):
        raise field.error("a policy must be a JSON object in braces.")
    return text


def _tags(field: ActField, text: str, subject: Any) -> dict[str, str]:
    tags: dict[str, str] = {}
    for place, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        key, sign, value = line.partition("=")
        if not sign or not key.strip():
            raise field.error(f"line {place} isn’t “key = value”: {line.strip()[:80]}")
        if key.strip() in tags:
            raise field.error(f"the key {key.strip()[:80]} is used twice.")
        tags[key.strip()] = value.strip()
    return tags


def _lines(field: ActField, text: str, subject: Any) -> list[str]:
    return list(distinct_lines(text))


def _choice(field: ActField, text: str, subject: Any) -> str:
    assert field.choices is not None
    if text not in {value for value, _ in field.choices(subject)}:
        raise field.error("this option is no longer available. Choose another one.")
    return text


_READERS: Final[dict[str, Callable[[ActField, str, Any], Any]]] = {
    NUMBER: _number,
    DOCUMENT: _document,
    TAGS: _tags,
    LINES: _lines,
    CHOICE: _choice,
}
