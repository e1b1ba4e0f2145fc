"""The questions of an act, and what the answers mean: text as a form gives it, checked in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from iam.changes.errors import RefusedError

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
"""What is asked for: a line, several lines of text, a policy, a whole number, yes or no, tags (a line each,
key = value), a list (a line each), one of some, or the name or ARN of something of the account (`choices` are
proposals); or what goes to and fro unseen.
"""
LONGEST: Final = {TEXT: 2_048, LONG: 10_000_000, DOCUMENT: 131_072, TAGS: 20_000, LINES: 20_000, NUMBER: 12}
Choices = Sequence[tuple[str, str]]
Given = dict[str, Any]


class FieldError(RefusedError):
    """An answer that cannot be used; `field` is whose."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


def field_errors(error: RefusedError | None) -> dict[str, str]:
    """The message by its field; empty for an error of the whole form."""
    return {error.field: error.message} if isinstance(error, FieldError) else {}


@dataclass(frozen=True, slots=True)
class Field:
    """A question. `choices` gives (value, words) for a subject; `start` what stands there at first; `example`
    is a value as one would write it.
    """

    name: str
    label: str
    kind: str = TEXT
    hint: str = ""
    is_needed: bool = True
    choices: Callable[[Any], Choices] | None = None
    start: Callable[[Any], str] | None = None
    low: int = 0
    high: int = 0
    example: str = ""


def read_fields(fields: Sequence[Field], data: Mapping[str, str], *, subject: Any) -> Given:
    """The answers, by name. Raises FieldError for the first that cannot be used."""
    return {field.name: _read(field, data.get(field.name, ""), subject=subject) for field in fields}


def _read(field: Field, text: str, *, subject: Any) -> Any:
    limit = LONGEST.get(field.kind, 2_048)
    if len(text) > limit:
        raise FieldError(
            f"{field.label}: {len(text):,} characters is too long. The limit is {limit:,}.",
            field=field.name,
        )
    if field.kind == FLAG:
        return bool(text)
    # A form ends lines otherwise than a script does that sends it; what is asked for is the same text.
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\ufeff").strip()
    if not text:
        if field.is_needed and field.kind not in (TAGS, LINES):
            wanted = "choose an option" if field.kind == CHOICE else "this field is required"
            raise FieldError(f"{field.label}: {wanted}.", field=field.name)
        nothing: dict[str, Any] = {TAGS: {}, LINES: [], NUMBER: None}
        return nothing.get(field.kind, "")
    reader = _READERS.get(field.kind)
    return text if reader is None else reader(field, text, subject)


def _number(field: Field, text: str, subject: Any) -> int:
    digits = text.replace(",", "").replace(" ", "")
    if not digits.isdecimal() or not field.low <= int(digits) <= field.high:
        raise FieldError(
            f"{field.label}: “{text}” isn’t a whole number from {field.low:,} to {field.high:,}.",
            field=field.name,
        )
    return int(digits)


def _document(field: Field, text: str, subject: Any) -> str:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FieldError(
            f"{field.label}: this isn’t valid JSON: {str(error)[:200]}.", field=field.name
        ) from None
    if not isinstance(body, dict):
        raise FieldError(f"{field.label}: a policy must be a JSON object in braces.", field=field.name)
    return text


def _tags(field: Field, text: str, subject: Any) -> dict[str, str]:
    tags: dict[str, str] = {}
    for place, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        key, sign, value = line.partition("=")
        if not sign or not key.strip():
            raise FieldError(
                f"{field.label}: line {place} isn’t “key = value”: {line.strip()[:80]}", field=field.name
            )
        if key.strip() in tags:
            raise FieldError(f"{field.label}: the key {key.strip()[:80]} is used twice.", field=field.name)
        tags[key.strip()] = value.strip()
    return tags


def _lines(field: Field, text: str, subject: Any) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _choice(field: Field, text: str, subject: Any) -> str:
    assert field.choices is not None
    if text not in {value for value, _ in field.choices(subject)}:
        raise FieldError(
            f"{field.label}: this option is no longer available. Choose another one.", field=field.name
        )
    return text


_READERS: Final[dict[str, Callable[[Field, str, Any], Any]]] = {
    NUMBER: _number,
    DOCUMENT: _document,
    TAGS: _tags,
    LINES: _lines,
    CHOICE: _choice,
}
