"""Defines a list page: its title, tabs, filters, columns and exports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

from django.utils.html import format_html

from console.web.templatetags.lists import td
from iam.keyset import Row
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.core import ListDefinition


@dataclass(frozen=True, slots=True)
class TabWords:
    """A saved view: its name in the address, its label, the tone of its count, and its text in “no … match”.

    `needs` are the sections it is counted from, besides the first section of the list.
    """

    name: str
    label: str
    tone: str = ""
    phrase: str = ""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListFilter:
    """A filter: its name in the address, its label, and its choices (value, label); without choices it takes
    any text.

    A filter based on last use works only for the present.
    """

    name: str
    label: str
    choices: tuple[tuple[str, str], ...] = ()
    is_past: bool = True
    hint: str = ""

    def value_of(self, text: str) -> str:
        """Return the value; earlier versions used labels of choices in addresses."""
        values = dict(self.choices)
        if text in values:
            return text
        return next((value for value, label in self.choices if label.lower() == text.lower()), text)

    def label_of(self, value: str) -> str:
        """Return the label of a value."""
        return dict(self.choices).get(value, value)


Value = Callable[[Row, ListContext], Any]
FileColumn = tuple[str, Value]
"""The name of a file column, and its value: text, number, datetime, or a list of texts."""


@dataclass(frozen=True, slots=True)
class ListColumn:
    """A column of a list's table, of its files, or of both, declared in the order of the files.

    In the table it is at `place`, with `label` as header, which sorts by the order named `sort`; `cell`
    renders the value of a row. `css` are the classes of header and cells, `cell_css` those of the cells only.
    `files` are its file columns, `filter` is its filter, and `when` is the time for which it is known.
    `loads` is a template in the header that loads the cells once the column is visible, so that narrow
    screens, which hide it, load nothing.
    """

    label: str = ""
    cell: Value | None = None
    place: int = 0
    css: str = ""
    cell_css: str = ""
    sort: str = ""
    files: tuple[FileColumn, ...] = ()
    filter: ListFilter | None = None
    when: Literal["always", "today", "past"] = "always"
    of_several_accounts: bool = False
    loads: str = ""

    def is_shown(self, context: ListContext) -> bool:
        """Return whether the column is in this list's table."""
        return (
            bool(self.cell) and self.is_known(context) and not (self.of_several_accounts and context.account)
        )

    def is_known(self, context: ListContext) -> bool:
        """Return whether the column is known at the shown moment."""
        return self.when == "always" or (self.when == "past") == (context.at is not None)


def filters_of(columns: Iterable[ListColumn]) -> tuple[ListFilter, ...]:
    """Return the filters of the columns."""
    return tuple(column.filter for column in columns if column.filter)


@dataclass(frozen=True, slots=True)
class NameCell:
    """The start of a row: its name, initials, a second line, and the text that replaces columns on narrow
    screens.
    """

    name: str
    short: str = ""
    sub: str = ""
    face: str = ""


@dataclass(frozen=True, slots=True)
class BulkAct:
    """A button below a list that opens a page for the selected rows (`id` in its address)."""

    label: str
    icon: str
    url: str


@dataclass(frozen=True, slots=True)
class ListPage:
    """A list page.

    `columns` are those of its table and files, and `begin` returns the first cell of each row. A page with
    its own table has a `template`, and `present` converts the rows for it. `team_intro` and `team_find` are
    texts for viewers who see only their teams; `area` is the namespace of its URLs; `acts` are actions for
    selected rows besides the export; `extra` is a template below the table; `unknown` is what tabs need
    (`TabWords.needs`) but was not calculated; `notice` appears above the table.
    """

    listing: ListDefinition
    title: str
    noun: tuple[str, str]
    intro: str
    icon: str
    find: str
    tabs: tuple[TabWords, ...]
    filters: tuple[ListFilter, ...]
    columns: tuple[ListColumn, ...]
    begin: Callable[[Row, ListContext], NameCell] | None = None
    template: str = "identities/list.html"
    present: Callable[[list[Row], ListContext], list[dict[str, Any]]] | None = None
    label: str = ""
    extra: str = ""
    team_intro: str = ""
    team_find: str = ""
    area: str = "identities"
    acts: tuple[BulkAct, ...] = ()
    unknown: frozenset[str] = frozenset()
    notice: str = ""

    @property
    def export_url(self) -> str:
        """The URL name of its files."""
        return f"{self.area}:{self.listing.name}-export"

    def table_columns(self, context: ListContext) -> list[ListColumn]:
        """Return the columns of the table, from the left, after the name."""
        shown = [column for column in self.columns if column.is_shown(context)]
        return sorted(shown, key=lambda column: column.place)

    def file_columns(self, context: ListContext) -> list[FileColumn]:
        """Return the columns of a file."""
        return list(chain.from_iterable(column.files for column in self.columns if column.is_known(context)))

    def table_rows(self, rows: list[Row], context: ListContext, *, link: str) -> list[dict[str, Any]]:
        """Return the table's rows; `link` is appended to links to other pages."""
        if self.present:
            return self.present(rows, context)
        assert self.begin
        values = []
        layout = []
        for column in self.table_columns(context):
            assert column.cell
            values.append(column.cell)
            layout.append(td(" ".join(filter(None, (column.css, column.cell_css)))))
        row_layout = "".join(layout)
        shown = []
        for row in rows:
            row["link"] = link
            begin = self.begin(row, context)
            shown.append(
                {
                    "pk": row["entity"],
                    "account_name": row["account_name"],
                    "name": begin.name,
                    "short": begin.short,
                    "sub": begin.sub,
                    "face": begin.face,
                    "cells": format_html(row_layout, *[value(row, context) for value in values]),
                }
            )
        return shown

    def filters_for(self, context: ListContext) -> tuple[ListFilter, ...]:
        """Return the filters available at the shown moment."""
        return tuple(f for f in self.filters if context.at is None or f.is_past)

    def counted(self, number: int) -> str:
        """Return '1 person' or '236 people'."""
        return f"{number:,} {self.noun[0] if number == 1 else self.noun[1]}"
