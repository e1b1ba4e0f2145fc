"""Columns of actions in which nobody can act: their heads are only read out, and all cells are empty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from django.http.response import HttpResponseBase

SHOWS = {"a", "button", "input", "svg", "img", "progress", "meter", "select"}
"""What shows something without a text."""


@dataclass(slots=True)
class Cell:
    """A cell: the text that is seen, the text that is only read out, and whether something else is shown."""

    text: str = ""
    spoken: str = ""
    shows: bool = False

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to see or to hear."""
        return not (self.text.strip() or self.spoken.strip() or self.shows)


@dataclass(slots=True)
class Table:
    """The heads of a table, and the cells of its body by row."""

    heads: list[Cell] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)

    def idle_columns(self) -> Iterator[str]:
        """The heads that are only spoken of columns without anything in them."""
        rows = [row for row in self.rows if len(row) == len(self.heads)]
        for place, head in enumerate(self.heads):
            is_spoken = bool(head.spoken.strip()) and not head.text.strip() and not head.shows
            if is_spoken and rows and all(row[place].is_empty for row in rows):
                yield head.spoken.strip()


class TableParser(HTMLParser):
    """Collects the tables of a page; none lies in another one."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[Table] = []
        self._cell: Cell | None = None
        self._hidden: list[str] = []
        self._is_head = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "table":
            self.tables.append(Table())
        elif tag in ("thead", "tbody"):
            self._is_head = tag == "thead"
        elif tag == "tr" and self.tables and not self._is_head:
            self.tables[-1].rows.append([])
        elif tag in ("th", "td") and self.tables:
            self._cell = Cell()
            table = self.tables[-1]
            (table.heads if self._is_head or not table.rows else table.rows[-1]).append(self._cell)
        elif self._cell is not None:
            self._cell.shows = self._cell.shows or tag in SHOWS
        if self._hidden or (tag == "span" and "sr" in (attributes.get("class") or "").split()):
            self._hidden.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden and self._hidden[-1] == tag:
            self._hidden.pop()
        if tag in ("th", "td"):
            self._cell = None
        elif tag == "thead":
            self._is_head = False

    def handle_data(self, data: str) -> None:
        if self._cell is None:
            return
        if self._hidden:
            self._cell.spoken += data
        else:
            self._cell.text += data


def idle_columns(page: str) -> list[str]:
    """The columns of actions of a page in which there is no action."""
    parser = TableParser()
    parser.feed(page)
    names: list[str] = []
    for table in parser.tables:
        names.extend(table.idle_columns())
    return names


def idle_columns_of(response: HttpResponseBase) -> list[str]:
    """The same of an answer; none where it is no page."""
    is_page = response.headers.get("Content-Type", "").startswith("text/html") and not response.streaming
    return idle_columns(response.content.decode()) if is_page else []  # type: ignore[attr-defined]
