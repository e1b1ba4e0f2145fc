"""A list of leavers from a file or a form to rows, every mistake with its line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from iam.people.onboarding.reading import FORMULA, LARGEST, MOST_ROWS, SheetError, sheet_lines

LONGEST: Final = 256
COLUMNS: Final = frozenset(
    {
        "email", "e-mail", "mail", "email address", "e-mail address",
        "user name", "username", "iam user", "user", "login", "arn", "leaver", "who",
    }
)  # fmt: skip
"""The names of the column that says who leaves; the address comes first where there are several."""

__all__ = ["LARGEST", "SheetError", "Typed", "read_leavers", "typed"]


@dataclass(frozen=True, slots=True)
class Typed:
    """A row as it was read: an address, a user name or an ARN. `line` is where it begins in the file."""

    line: int
    text: str = ""
    errors: tuple[str, ...] = ()


def read_leavers(data: bytes) -> list[Typed]:
    """The rows of a CSV file; rows without any content are passed over. Raises SheetError for a file that is none."""
    if len(data) > LARGEST:
        raise SheetError(f"The file has more than {LARGEST // 1024 // 1024} MB.")
    lines = sheet_lines(data)
    head = next(lines, None)
    if head is None:
        raise SheetError("The file is empty.")
    places = _places(head[1])
    found: list[Typed] = []
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(found) >= MOST_ROWS:
            raise SheetError(f"The file has more than {MOST_ROWS:,} people. Split it.")
        said = next((cells[at].strip() for at in places if at < len(cells) and cells[at].strip()), "")
        found.append(typed(line, said))
    if not found:
        raise SheetError("The file names the columns, and nobody below them.")
    return found


def typed(line: int, text: str) -> Typed:
    """A row from what it says of who leaves."""
    text = " ".join(text.split())
    errors = []
    if not text:
        errors.append("It does not say who leaves.")
    if len(text) > LONGEST:
        errors.append(f"It has {len(text):,} characters; {LONGEST} are the limit.")
    if text.startswith(FORMULA):
        errors.append(f"It begins with {text[0]!r}, which a spreadsheet takes for a formula.")
    if not text.isprintable():
        errors.append("It holds a sign that cannot be shown.")
    kept = "".join(letter if letter.isprintable() else "\ufffd" for letter in text[:LONGEST])
    return Typed(line, kept, tuple(errors))


def _places(head: Sequence[str]) -> list[int]:
    """The columns that say who, the address first. Raises SheetError."""
    words = [" ".join(cell.strip("\ufeff").replace("_", " ").lower().split()) for cell in head]
    found = [at for at, word in enumerate(words) if word in COLUMNS]
    if not found:
        raise SheetError(
            "The first line must name a column that says who leaves: E-mail or User name. "
            f"It says: “{', '.join(cell.strip() for cell in head)[:60]}”"
        )
    return sorted(found, key=lambda at: "mail" not in words[at])
