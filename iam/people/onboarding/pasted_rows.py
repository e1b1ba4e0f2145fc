"""Parses people from the cells of a file, of a pasted table or of a form into rows, and reports each mistake
with its line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final, Self

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from iam.people.blueprints.user_names import USER_NAME
from iam.people.sheet_lines import (
    FORMULA,
    MAX_ROWS,
    SEPARATORS,
    SheetError,
    cells_by_line,
    decoded_sheet,
    is_address,
    sheet_rows,
)

MAX_LENGTH: Final = 128
LAST_FIRST: Final = re.compile(r"(?:[^\W\d_]|[ '’‘-]|\.(?=[ ,]|$))+,(?:[^\W\d_]|[ '’‘-]|\.(?= |$))+")
"""A line with only a name, last name first: “Lind, Tomas”. A dot ends an abbreviation."""
MIXED: Final = (
    "This line has different separators. Use the same one between all of its cells: a tab, a comma or a "
    "semicolon."
)
COLUMNS: Final[Mapping[str, frozenset[str]]] = {
    "name": frozenset({"name", "full name", "display name"}),
    "first": frozenset({"first name", "firstname", "given name"}),
    "last": frozenset({"last name", "lastname", "surname", "family name"}),
    "email": frozenset({"email", "e-mail", "mail", "email address", "e-mail address"}),  # wording: keep
    "user_name": frozenset({"user name", "username", "iam user", "login"}),
    "until": frozenset({"until", "valid until", "end", "end date", "last day"}),
}
_DAYS: Final = ("%Y-%m-%d", "%d.%m.%Y")


class FieldProblem(str):
    """A sentence about one field of a row; `field` is its name."""

    field: str

    def __new__(cls, field: str, text: str) -> Self:
        problem = super().__new__(cls, text)
        problem.field = field
        return problem


@dataclass(frozen=True, slots=True)
class NewcomerRow:
    """A parsed row. `line` is where it begins in the file, or its number in the form. `errors`
    are sentences.
    """

    line: int
    name: str = ""
    email: str = ""
    user_name: str = ""
    until: date | None = None
    errors: tuple[str, ...] = ()
    until_text: str = ""


def read_sheet(data: bytes) -> list[NewcomerRow]:
    """Parse the rows of a CSV file. Raises SheetError for an invalid file."""

    def reader(head: list[str]) -> Callable[[int, list[str]], NewcomerRow]:
        places = _columns(head)
        return lambda line, cells: _row(line, cells, places, width=len(head))

    return sheet_rows(data, reader=reader)


def typed(line: int, values: Mapping[str, str]) -> NewcomerRow:
    """Parse a row from its values by column, and check it by itself."""
    errors: list[str] = []
    values_typed = {key: " ".join(values.get(key, "").split()) for key in COLUMNS}
    name = values_typed["name"] or " ".join(filter(None, (values_typed["first"], values_typed["last"])))
    texts = (
        ("name", "name", name),
        ("email", "email address", values_typed["email"]),
        ("user_name", "user name", values_typed["user_name"]),
    )
    for field, what, text in texts:
        errors += [FieldProblem(field, error) for error in _text_errors(what, text)]
    if not name:
        errors.append(FieldProblem("name", "The name is missing."))
    errors += [FieldProblem("email", error) for error in _email_errors(values_typed["email"])]
    if values_typed["user_name"] and not USER_NAME.fullmatch(values_typed["user_name"]):
        sentence = "A user name has up to 64 letters without accents, digits and the signs + = , . @ _ -"
        errors.append(FieldProblem("user_name", sentence))
    email = values_typed["email"]
    if "@" in email:
        email = email.lower()
    until = None
    if values_typed["until"]:
        until = _day(values_typed["until"])
        if until is None:
            errors.append(
                FieldProblem(
                    "until", f"{_short(values_typed['until'])} isn’t a date. Write it as 2026-11-30."
                )
            )
    return NewcomerRow(
        line=line,
        name=_kept(name),
        email=_kept(email),
        user_name=_kept(values_typed["user_name"])[:64],
        until=until,
        errors=tuple(errors),
        until_text=_kept(values_typed["until"])[:40],
    )


def _text_errors(what: str, text: str) -> Iterator[str]:
    if len(text) > MAX_LENGTH:
        yield f"The {what} has {len(text):,} characters. The limit is {MAX_LENGTH}."
    if text.startswith(FORMULA):
        yield f"The {what} starts with {text[0]!r}, which spreadsheets read as a formula. Remove it."
    if not text.isprintable():
        yield f"The {what} contains a character that can’t be shown. Type it again."


def _email_errors(text: str) -> Iterator[str]:
    if not text:
        yield "The email address is missing."
        return
    try:
        validate_email(text)
    except ValidationError:
        yield f"{_short(text)} isn’t a valid email address. Write it as maya@example.com."


def _kept(text: str) -> str:
    return "".join(map(_printable, text[:MAX_LENGTH]))


def _printable(letter: str) -> str:
    """Return the letter, or the replacement character if it can’t be shown."""
    return letter if letter.isprintable() else "\ufffd"


def _short(text: str) -> str:
    return f"“{_kept(text)[:40]}”"


def _day(text: str) -> date | None:
    for form in _DAYS:
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


def _mixed(cells: Sequence[str]) -> list[str]:
    """Return a problem if no cell of the line is only an address because it mixes separators, or else
    nothing.
    """
    if any(is_address(cell) for cell in cells):
        return []
    has_more = any("@" in cell and any(sign in cell.strip() for sign in SEPARATORS) for cell in cells)
    return [FieldProblem("email", MIXED)] if has_more else []


def _columns(head: Sequence[str]) -> dict[str, int]:
    """Return the position of each column. Raises SheetError."""
    places: dict[str, int] = {}
    for place, cell in enumerate(head):
        key = _column_key(cell)
        if key in places:
            raise SheetError(f"Line 1 has the column “{cell.strip()[:40]}” twice.")
        if key:
            places[key] = place
    if "email" not in places or not places.keys() & {"name", "first", "last"}:
        raise SheetError(
            "The first line must have the column names: Name, Email and, if you need them, User name and "
            "Last day. "
            f"It has: {_short(', '.join(cell.strip() for cell in head))}"
        )
    return places


def _column_key(cell: str) -> str:
    """Return the key in COLUMNS of a column name, or an empty string."""
    word = " ".join(cell.strip("\ufeff").replace("_", " ").lower().split())
    return next((key for key, words in COLUMNS.items() if word in words), "")


def unused_columns(data: bytes) -> list[str]:
    """Return the column names of a file or pasted table that are unknown, so that nothing below them is used;
    none where the first line has no column names. Raises SheetError for a file that can’t be read.
    """
    _, head = next(cells_by_line(decoded_sheet(data)), (0, []))
    names = [" ".join(cell.split()) for cell in head]
    if not _has_column_names(head):
        return []
    return [_kept(name)[:40] for name in names if name.strip("\ufeff") and not _column_key(name)]


def _row(line: int, cells: Sequence[str], places: Mapping[str, int], *, width: int) -> NewcomerRow:
    values = {key: cells[place] for key, place in places.items() if place < len(cells)}
    row = typed(line, values)
    errors = [*row.errors, *_mixed(cells)]
    if any(cell.strip() for cell in cells[width:]):
        errors.append(f"The row has {len(cells)} cells, and the first line has {width} column names.")
    return replace(row, errors=tuple(errors))


def last_moment(until: date | None) -> datetime | None:
    """Return when access with this last day ends: at the end of the day, UTC."""
    return datetime(until.year, until.month, until.day, tzinfo=UTC) + timedelta(days=1) if until else None


def read_pasted(text: str) -> list[NewcomerRow]:
    """Parse a table pasted from a spreadsheet, with or without column names. Raises SheetError if it contains
    no people.
    """
    whole = text if text.endswith("\n") else text + "\n"
    lines = list(cells_by_line(whole)) if text.strip() else []
    if not lines:
        raise SheetError("Paste at least one person.")
    if len(lines) > MAX_ROWS:
        raise SheetError(f"This is more than {MAX_ROWS:,} rows. Paste them in parts.")
    if _has_column_names(lines[0][1]):
        return read_sheet(text.encode())
    values_by_line = {line: [" ".join(cell.split()) for cell in cells] for line, cells in lines}
    written = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    place = _usual_place(values_by_line.values())
    rows = []
    for line, cells in lines:
        if any(values_by_line[line]):
            row = typed(line, _only_name(written[line - 1]) or _guessed(values_by_line[line], place))
            rows.append(replace(row, errors=(*row.errors, *_mixed(cells))))
    return rows


def _has_column_names(head: Sequence[str]) -> bool:
    try:
        _columns(head)
    except SheetError:
        return False
    return True


def _only_name(line: str) -> dict[str, str]:
    """Return the name of a line that is only “Last, First”, or nothing for other lines."""
    last, _, first = (" ".join(part.split()) for part in line.partition(","))
    if not last or first[:1].islower() or LAST_FIRST.fullmatch(f"{last},{first}") is None:
        return {}
    return {"name": f"{last}, {first}"}


def _guessed(values: list[str], place: int) -> dict[str, str]:
    """Return the values of a row without column names. The address is the cell with an @, or the one at
    `place` if there is none. The name comes before it, the user name and the last day after it.
    """
    place = _place_of_address(values, place)
    values = values + [""] * (place + 1 - len(values))
    mailbox = re.fullmatch(r"(.*?)\s*<([^<>]+)>", values[place])
    if mailbox:
        values[place] = mailbox[2]
        values.insert(place, mailbox[1])
        place += 1
    name, after = " ".join(filter(None, values[:place])), values[place + 1 :]
    if not name and after:
        name = after.pop(0)
    guessed = {"name": name, "email": values[place]}
    has_day = any(map(_day, after))
    for at, value in enumerate(after):
        is_day = bool(_day(value)) or (value[:1].isdigit() and not has_day)
        is_last = at > 0 and ("user_name" in guessed or "until" not in guessed)
        key = "until" if is_day or is_last else "user_name"
        if value:
            guessed[key] = f"{guessed.get(key, '')} {value}".strip()
    return guessed


def _place_of_address(values: Sequence[str], other: int) -> int:
    """Return the position of the first cell with an @, or `other`."""
    return next((at for at, value in enumerate(values) if "@" in value), other)


def _usual_place(rows: Iterable[Sequence[str]]) -> int:
    """Return where most rows have their address, or the second cell if none has one."""
    places = Counter(_place_of_address(values, -1) for values in rows)
    places.pop(-1, None)
    return places.most_common(1)[0][0] if places else 1
