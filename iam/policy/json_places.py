"""Parses JSON strictly and records the place of each value, in linear time and at any depth.

Python's own parser keeps no places, silently takes the last of two equal names and stops at the first
mistake. Source: RFC 8259, "The JavaScript Object Notation (JSON) Data Interchange Format".
"""

from __future__ import annotations

import contextlib
import json
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final

from iam.policy.letter_case import fold, is_digits

Scalar = str | int | float | bool | None
BLANK: Final = frozenset(" \t\n\r")
SPACE: Final = re.compile(r"[ \t\n\r]*")
PLAIN_TEXT: Final = re.compile(r'"([^"\\\x00-\x1f]*+)"')
TEXT: Final = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*+')
NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?")
WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*+")
WORDS: Final[dict[str, Scalar]] = {"true": True, "false": False, "null": None}
MAX_NUMBER_LENGTH: Final = 300
MAX_FAULTS: Final = 20


@dataclass(slots=True)
class JsonMember:
    """A name in an object and its value. `at` is the offset at which the name begins."""

    name: str
    at: int
    node: JsonNode


@dataclass(slots=True)
class JsonNode:
    """A value and the offset at which it begins. An object is a tuple of members in order, duplicates
    included; an array is a list.
    """

    value: Scalar | list[JsonNode] | tuple[JsonMember, ...]
    at: int


@dataclass(frozen=True, slots=True)
class JsonFault:
    """A breach of the JSON grammar, its offset, and how to fix it."""

    at: int
    message: str
    remedy: str


@dataclass(slots=True)
class PlacedJson:
    """The parsed text. `root` is None if the text could not be parsed to its end; minor faults don't prevent
    that.
    """

    text: str
    root: JsonNode | None = None
    faults: list[JsonFault] = field(default_factory=list)
    _lines: list[int] = field(default_factory=list)

    def place(self, at: int) -> tuple[int, int]:
        """Return the (line, column) of an offset, both counted from 1."""
        if not self._lines:
            self._lines = [0, *(line_break.end() for line_break in re.finditer("\n", self.text))]
        line = bisect_right(self._lines, at)
        return line, at - self._lines[line - 1] + 1


class _StopError(Exception):
    """The rest of the text can't be parsed."""


@dataclass(slots=True)
class _OpenContainer:
    """A list or an object that isn't closed yet. An object has `members`, and `name` is the name that awaits
    its value.
    """

    is_object: bool
    at: int
    nodes: list[JsonNode] = field(default_factory=list)
    members: list[JsonMember] = field(default_factory=list)
    name: str = ""
    name_at: int = 0
    comma_at: int = -1

    @property
    def is_empty(self) -> bool:
        return not (self.members if self.is_object else self.nodes)

    def add(self, node: JsonNode) -> None:
        if self.is_object:
            self.members.append(JsonMember(self.name, self.name_at, node))
        else:
            self.nodes.append(node)
        self.comma_at = -1

    def closed(self) -> JsonNode:
        if self.is_object:
            return JsonNode(tuple(self.members), self.at)
        return JsonNode(self.nodes, self.at)


def read_places(text: str) -> PlacedJson:
    """Parse the document and report its faults. A missing or unneeded comma is reported and skipped; any
    other fault ends the parsing.
    """
    reader = _Reader(text)
    with contextlib.suppress(_StopError):
        reader.reading.root = reader.document()
    return reader.reading


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.reading = PlacedJson(text)
        self.open: list[_OpenContainer] = []

    def fault(self, at: int, message: str, remedy: str) -> None:
        """Record a fault after which parsing can continue."""
        self.reading.faults.append(JsonFault(at, message, remedy))
        if len(self.reading.faults) >= MAX_FAULTS:
            raise _StopError

    def stop(self, at: int, message: str, remedy: str) -> _StopError:
        """Record a fault and return the error that ends the parsing."""
        self.reading.faults.append(JsonFault(at, message, remedy))
        return _StopError()

    def peek(self) -> str:
        """Return the next character that isn't white space, or an empty string at the end."""
        character = self.text[self.at : self.at + 1]
        if character not in BLANK:
            return character
        match = SPACE.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
        return self.text[self.at : self.at + 1]

    def document(self) -> JsonNode:
        if self.text.startswith("\ufeff"):
            self.at = 1
            self.fault(0, "The text begins with a byte order mark.", "Save it without a byte order mark.")
        if not self.peek():
            raise self.stop(0, "The text is empty.", "Write a policy: an object with Version and Statement.")
        node = self.begin()
        while node is None or self.open:
            node = self.step(node)
        if self.peek():
            raise self.stop(
                self.at,
                "There is more text after the end of the document.",
                "Remove what follows the document.",
            )
        return node

    def step(self, node: JsonNode | None) -> JsonNode | None:
        """Add a finished value to its container, or continue inside the innermost one. Returns the next
        finished value, or None.
        """
        container = self.open[-1]
        if node is not None:
            container.add(node)
        if self.ends(container):
            self.open.pop()
            return container.closed()
        if container.is_object:
            self.read_name(container)
        return self.begin()

    def ends(self, container: _OpenContainer) -> bool:
        """Consume the comma or the closing bracket. Returns True if it was the bracket."""
        close = "}" if container.is_object else "]"
        sign = self.peek()
        if not container.is_empty and container.comma_at < 0:
            if sign == ",":
                container.comma_at = self.at
                self.at += 1
                sign = self.peek()
            elif sign and sign not in "}]:":
                self.fault(self.at, "A comma is missing before this.", "Put a comma between the two.")
        if sign != close:
            self.refuse(container, sign)
            return False
        if container.comma_at >= 0:
            self.fault(
                container.comma_at, f"There is a comma before the closing {close}.", "Remove the comma."
            )
        self.at += 1
        return True

    def refuse(self, container: _OpenContainer, text_found: str) -> None:
        what, close = ("object", "}") if container.is_object else ("list", "]")
        if not text_found:
            line, column = self.reading.place(container.at)
            raise self.stop(
                max(self.at - 1, 0),
                f"The {what} that starts on line {line}, column {column} isn’t closed.",
                f"Close it with {close}.",
            )
        if text_found in "}]":
            raise self.stop(self.at, f"This {text_found} doesn’t match the open {what}.", f"Write {close}.")
        if text_found == ",":
            raise self.stop(self.at, "There’s a comma where a value is expected.", "Remove the comma.")

    def read_name(self, container: _OpenContainer) -> None:
        if self.peek() != '"':
            raise self.stop(
                self.at,
                "A name in double quotes is expected here.",
                'Write the name in double quotes, such as "Action".',
            )
        container.name_at = self.at
        container.name = self.read_text()
        if self.peek() != ":":
            at = self.at if self.at < len(self.text) else max(self.at - 1, 0)
            raise self.stop(
                at,
                f"The colon after the name {json.dumps(container.name[:40])} is missing.",
                "Put a colon between the name and the value.",
            )
        self.at += 1

    def begin(self) -> JsonNode | None:
        """Begin a value. Returns a scalar, or None for a list or an object, which is then open."""
        first, at = self.peek(), self.at
        if first == '"':
            return JsonNode(self.read_text(), at)
        if first and first in "{[":
            self.at += 1
            self.open.append(_OpenContainer(first == "{", at))
            return None
        if first and first in "-0123456789":
            return JsonNode(self.read_number(), at)
        return JsonNode(self.read_word(), at)

    def read_text(self) -> str:
        plain = PLAIN_TEXT.match(self.text, self.at)
        if plain is not None:
            self.at = plain.end()
            return plain.group(1)
        match = TEXT.match(self.text, self.at)
        end = match.end() if match is not None else self.at
        last = self.text[end : end + 1]
        if last == '"':
            source, self.at = self.text[self.at : end + 1], end + 1
            return str(json.loads(source))
        if last == "\\":
            raise self.stop(end, "JSON has no such escape sequence.", "Write a backslash as two: \\\\.")
        if last:
            raise self.stop(
                end,
                "There’s a line break or another control character inside a string.",
                "Close the string before it, or write it as an escape sequence such as \\n.",
            )
        raise self.stop(self.at, "This string isn’t closed.", "Close it with a double quote.")

    def read_number(self) -> int | float:
        match = NUMBER.match(self.text, self.at)
        if (
            match is None
            or WORD.match(self.text, match.end())
            or is_digits(self.text[match.end() : match.end() + 1])
        ):
            raise self.stop(
                self.at, "This isn’t a valid number.", "Write a number, or put a string in double quotes."
            )
        source, self.at = match.group(), match.end()
        is_whole = is_digits(source.lstrip("-")) and len(source) < MAX_NUMBER_LENGTH
        return int(source) if is_whole else float(source)

    def read_word(self) -> Scalar:
        match = WORD.match(self.text, self.at)
        if match is not None and match.group() in WORDS:
            self.at = match.end()
            return WORDS[match.group()]
        raise self.stop(min(self.at, len(self.text) - 1), *self.no_value(match))

    def no_value(self, word: re.Match[str] | None) -> tuple[str, str]:
        first = self.text[self.at : self.at + 1]
        if word is not None:
            shown = word.group()[:40]
            if fold(shown) in WORDS:
                return f"JSON has no value “{shown}”.", f"Write {fold(shown)}."
            return f"“{shown}” isn’t in double quotes.", f'Write "{shown}".'
        if first == "'":
            return "This string is in single quotes.", "Use double quotes."
        if first in {"/", "#"}:
            return "JSON has no comments.", "Remove the comment."
        if not first:
            return "The text ends where a value is expected.", "Add the value."
        return (
            f"A value can’t start with {json.dumps(first)}.",
            "Write a string, a number, a list or an object.",
        )
