"""Parses a list of people to offboard from a file or a form into rows, and reports each mistake with its
line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from iam.people.sheet_lines import FORMULA, SheetError, sheet_rows

MAX_LENGTH: Final = 256
COLUMNS: Final = frozenset(
    {
        "email", "e-mail", "mail", "email address", "e-mail address",  # wording: keep
        "user name", "username", "iam user", "user", "login", "arn", "leaver", "who",
    }
)  # fmt: skip
"""Names of the column that identifies the person. If there are several, the email address comes first."""


@dataclass(frozen=True, slots=True)
class LeaverRow:
    """A parsed row: an email address, a user name or an ARN. `line` is where it begins in the file."""

    line: int
    text: str = ""
    errors: tuple[str, ...] = ()


def read_leavers(data: bytes) -> list[LeaverRow]:
    """Parse the rows of a CSV file. Raises SheetError for an invalid file."""

    def reader(head: list[str]) -> Callable[[int, list[str]], LeaverRow]:
        places = _identifying_columns(head)

        def read(line: int, cells: list[str]) -> LeaverRow:
            given_cells = (cells[at].strip() for at in places if at < len(cells))
            return typed(line, next(filter(None, given_cells), ""))

        return read

    return sheet_rows(data, reader=reader)


def typed(line: int, text: str) -> LeaverRow:
    """Parse the text that identifies a person into a row."""
    text = " ".join(text.split())
    errors = []
    if not text:
        errors.append("This row names no one.")
    if len(text) > MAX_LENGTH:
        errors.append(f"This row has {len(text):,} characters. The limit is {MAX_LENGTH}.")
    if text.startswith(FORMULA):
        errors.append(f"This row starts with {text[0]!r}, which a spreadsheet reads as a formula.")
    if not text.isprintable():
        errors.append("This row contains a character that can’t be shown.")
    kept = "".join(map(_printable, text[:MAX_LENGTH]))
    return LeaverRow(line, kept, tuple(errors))


def _printable(letter: str) -> str:
    """Return the letter, or the replacement character if it can’t be shown."""
    return letter if letter.isprintable() else "\ufffd"


def _identifying_columns(head: Sequence[str]) -> list[int]:
    """Return the columns that identify the person, the email address first. Raises SheetError."""
    words = [" ".join(cell.strip("\ufeff").replace("_", " ").lower().split()) for cell in head]
    places = [at for at, word in enumerate(words) if word in COLUMNS]
    if not places:
        raise SheetError(
            "The first line must have a column Email or User name. "
            f"It has: “{', '.join(cell.strip() for cell in head)[:60]}”"
        )
    return sorted(places, key=lambda at: "mail" not in words[at])
