"""A value of an uploaded JSON file with its JSON path, so that each error can name the place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from iam.aws.documents import decode_document
from iam.aws.moments import believable

MAX_DOCUMENT = 131_072
MAX_DEPTH = 32
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class ExportError(Exception):
    """The file cannot be imported. The message says where the error is and how to fix it."""


class ExportNode:
    """An object of the file with its JSON path."""

    def __init__(self, value: Any, path: str) -> None:
        self.path = path
        if not isinstance(value, dict):
            raise ExportError(f"{path} is {named_type(value)}; an object is expected there.")
        self._value: dict[str, Any] = value

    def has_value(self, key: str) -> bool:
        """Return True if the key exists and is not null."""
        return self._value.get(key) is not None

    def at(self, key: str) -> str:
        """Return the JSON path of a key."""
        return f"{self.path}.{key}"

    def text(self, key: str, *, longest: int, pattern: re.Pattern[str] | None = None) -> str:
        """Return a required string after the checks of `checked_text`: no control characters, at most
        `longest` characters, matches `pattern`. Raises ExportError if it is missing.
        """
        if not self.has_value(key):
            raise ExportError(f"{self.at(key)} is missing.")
        return checked_text(self._value[key], path=self.at(key), longest=longest, pattern=pattern)

    def optional(self, key: str, *, longest: int) -> str | None:
        """Return a string, or None if it is missing."""
        return self.text(key, longest=longest) if self.has_value(key) else None

    def integer(self, key: str, *, default: int) -> int:
        """Return an integer from 0 to 2³¹ - 1, or `default` if it is missing."""
        value = self._value.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
            raise ExportError(
                f"{self.at(key)} is {preview(value)}; a whole number from 0 on is expected there."
            )
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Return a Boolean, or `default` if it is missing."""
        value = self._value.get(key, default)
        if not isinstance(value, bool):
            raise ExportError(f"{self.at(key)} is {named_type(value)}; true or false is expected there.")
        return value

    def moment(self, key: str) -> datetime:
        """Return a required timestamp in UTC. The file gives it as ISO 8601, or as seconds since 1970 if an
        older CLI wrote it.
        """
        if not self.has_value(key):
            raise ExportError(f"{self.at(key)} is missing.")
        value = self._value[key]
        try:
            if isinstance(value, int | float) and not isinstance(value, bool):
                return believable(datetime.fromtimestamp(value, tz=UTC))
            return believable(datetime.fromisoformat(value))
        except (TypeError, ValueError, OverflowError, OSError):
            raise ExportError(f"{self.at(key)} is not a date and time: {preview(value)}.") from None

    def node(self, key: str) -> ExportNode:
        """Return a required object."""
        return ExportNode(self._value.get(key), self.at(key))

    def nodes(self, key: str) -> Iterator[ExportNode]:
        """Yield the objects of a list; none if the list is missing."""
        for position, item in enumerate(self._list(key)):
            yield ExportNode(item, f"{self.at(key)}[{position}]")

    def texts(self, key: str, *, longest: int, pattern: re.Pattern[str]) -> Iterator[str]:
        """Yield the strings of a list; none if the list is missing."""
        for position, item in enumerate(self._list(key)):
            yield checked_text(item, path=f"{self.at(key)}[{position}]", longest=longest, pattern=pattern)

    def document(self, key: str) -> str:
        """Return the text of a policy document, given as an object (CLI) or as AWS's
        percent-encoded string.
        """
        value = self._value.get(key)
        if isinstance(value, dict):
            text = json.dumps(value, indent=2, ensure_ascii=False)
            parsed: Any = value
        elif isinstance(value, str):
            text = value if value.lstrip().startswith("{") else decode_document(value)
            parsed = _parsed(text, path=self.at(key))
        else:
            raise ExportError(f"{self.at(key)} is {named_type(value)}; a policy document is expected there.")
        if len(text) > 4 * MAX_DOCUMENT:
            raise ExportError(f"{self.at(key)} is longer than any policy document that AWS keeps.")
        if depth_of(parsed) > MAX_DEPTH:
            raise ExportError(f"{self.at(key)} is nested more than {MAX_DEPTH} levels deep.")
        return checked_text(text, path=self.at(key), longest=4 * MAX_DOCUMENT)

    def _list(self, key: str) -> list[Any]:
        value = self._value.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise ExportError(f"{self.at(key)} is {named_type(value)}; a list is expected there.")
        return value


def _parsed(text: str, *, path: str) -> Any:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        raise ExportError(f"{path} is not a policy document in JSON: {preview(text)}.") from None
    if not isinstance(parsed, dict):
        raise ExportError(f"{path} is not a policy document: it is {named_type(parsed)}, not an object.")
    return parsed


def checked_text(value: Any, *, path: str, longest: int, pattern: re.Pattern[str] | None = None) -> str:
    """Return the string after the checks that apply to every string of the file."""
    if not isinstance(value, str):
        raise ExportError(f"{path} is {named_type(value)}; a text is expected there.")
    if len(value) > longest:
        raise ExportError(f"{path} is {len(value)} characters long; AWS allows {longest}.")
    if _UNPRINTABLE.search(value):
        raise ExportError(f"{path} has a control character, which AWS does not allow: {preview(value)}.")
    if pattern is not None and not pattern.fullmatch(value):
        raise ExportError(f"{path} is not what AWS allows there: {preview(value)}.")
    return value


def depth_of(value: Any) -> int:
    """Return how deeply lists and objects are nested. It does not recurse, so any depth is safe."""
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, dict | list):
            deepest = max(deepest, depth)
            waiting.extend(
                (child, depth + 1) for child in (item.values() if isinstance(item, dict) else item)
            )
    return deepest


def named_type(value: Any) -> str:
    """Return the type of a JSON value in words."""
    if value is None:
        return "missing"
    names = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list"}
    return names.get(type(value), "an object")


def preview(value: Any) -> str:
    """Return a value as an error message quotes it: short and on one line."""
    text = ascii(value)
    return text if len(text) <= 80 else text[:77] + "…"
