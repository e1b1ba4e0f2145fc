"""The tables of a pack: rows are read once, stored on disk, and written as JSON, CSV and PDF."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from iam.audit.print.pdf import PdfColumn, Style
from iam.audit.print.spreadsheet import harmless
from iam.moments import moment_words

Row = dict[str, Any]
Progress = Callable[[int], None]
TOLD_EVERY: Final = 500
"""The number of rows between progress updates on the page."""


@dataclass(frozen=True, slots=True)
class PackColumn:
    """A column that the PDF shows. `key` is its name in JSON and CSV."""

    key: str
    title: str
    share: float = 1.0
    style: Style = "text"

    @property
    def printed(self) -> PdfColumn:
        """The column in the form that the PDF needs."""
        return PdfColumn(self.title, share=self.share, style=self.style)


@dataclass(frozen=True, slots=True)
class PackTable:
    """Rows of one kind.

    `name` is used for the files; `note`, below the title, describes the rows. `keys` are the CSV columns;
    JSON has all values, including nested ones.
    """

    name: str
    title: str
    note: str
    keys: tuple[str, ...]
    columns: tuple[PackColumn, ...]
    rows: Callable[[], Iterable[Row]]
    facts: Row = field(default_factory=dict)
    """Further values for the JSON file, such as the seed of a sample."""


class KeptRows:
    """Rows stored on disk as JSON lines, so that the database is read once and the three files of a table
    agree.
    """

    def __init__(self, path: Path, rows: Iterable[Row], *, report: Progress) -> None:
        self._path = path
        self.count = 0
        with path.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False, default=plain) + "\n")
                self.count += 1
                if self.count % TOLD_EVERY == 0:
                    report(self.count)

    def lines(self) -> Iterator[str]:
        """The rows as JSON strings without line feeds."""
        with self._path.open(encoding="utf-8") as file:
            for line in file:
                yield line.rstrip("\n")

    def __iter__(self) -> Iterator[Row]:
        for line in self.lines():
            row: Row = json.loads(line)
            yield row


def plain(value: object) -> str:
    """Convert values of types that JSON does not have."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"A fact can’t be {type(value).__name__}.")


def cell(value: Any) -> str:
    """The value for a CSV cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return harmless("; ".join(_flat(item) for item in value))
    return harmless(_flat(value))


def csv_cells(table: PackTable, row: Row) -> dict[str, str]:
    """The CSV row of a pack for a row that was not stored on disk."""
    kept = json.loads(json.dumps(row, ensure_ascii=False, default=plain))
    return {key: cell(kept.get(key)) for key in table.keys}


def printed(value: Any) -> str:
    """The value for the PDF: times in words, unknown values as a dash."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return "\n".join(printed(item) for item in value) if value else "–"
    text = _flat(value)
    moment = _moment(text)
    return moment_words(moment) if moment else text


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)


def _moment(text: str) -> datetime | None:
    if len(text) < 19 or text[10:11] != "T":
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
