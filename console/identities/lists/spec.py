"""What a list page says in words: its title, tabs, filters, columns, and what it exports."""

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
    """A saved view: its name in the address, its label, the tone of its count, and how "no … match" names it.

    `needs` are the sections from which it is counted, beside the first section of the list.
    """

    name: str
    label: str
    tone: str = ""
    phrase: str = ""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListFilter:
    """A filter: its name in the address, its label, and its choices (value, label); without choices, any
    text.

    One that rests on last use is of today only.
    """

    name: str
    label: str
    choices: tuple[tuple[str, str], ...] = ()
    is_past: bool = True
    hint: str = ""

    def value_of(self, text: str) -> str:
        """The value that an address means: some of earlier versions name a choice by its label."""
        values = dict(self.choices)
        if text in values:
            return text
        return next((value for value, label in self.choices if label.lower() == text.lower()), text)

    def label_of(self, value: str) -> str:
        """How a value is called."""
        return dict(self.choices).get(value, value)


Value = Callable[[Row, ListContext], Any]
FileColumn = tuple[str, Value]
"""The name of a column of a file, and its value: text, number, moment, or a list of texts."""


@dataclass(frozen=True, slots=True)
class ListColumn:
    """A column of a list: of its table, of its files, or of both. Lists declare their columns in the order of
    the files.

    In the table it stands at `place`, with `label` as its head, which sorts by the order named `sort`, and
    what `cell` says of each row below. `css` are the classes of head and cells, `cell_css` those of the cells
    alone. `files` are its columns of a file; `filter` is offered above the table. `when` is the time that it
    is known of. `loads` is a template in the head that loads the cells once the column is on the screen:
    narrow screens hide it, and load nothing.
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
        """True in the table of this list."""
        return (
            bool(self.cell) and self.is_known(context) and not (self.of_several_accounts and context.account)
        )

    def is_known(self, context: ListContext) -> bool:
        """True at the moment that is shown."""
        return self.when == "always" or (self.when == "past") == (context.at is not None)


def filters_of(columns: Iterable[ListColumn]) -> tuple[ListFilter, ...]:
    """The filters of the columns."""
    return tuple(column.filter for column in columns if column.filter)


@dataclass(frozen=True, slots=True)
class NameCell:
    """How a row begins: its name as a link, initials before it, a second line below, and what narrow screens
    show in place of columns that do not fit.
    """

    name: str
    short: str = ""
    sub: str = ""
    face: str = ""


@dataclass(frozen=True, slots=True)
class BulkAct:
    """A button below a list that opens a page about the selected rows (`id` in its address)."""

    label: str
    icon: str
    url: str


@dataclass(frozen=True, slots=True)
class ListPage:
    """A list page. `columns` are those of its table and files, and `begin` how each row begins. A page with a
    table of its own has a `template` for it, and `present` turns the rows into what that shows.

    `team_intro` and `team_find` are for who sees only their teams; `area` is whose addresses it has; `acts`
    are what the viewer can do with selected rows besides exporting them; `extra` is a template below the
    table; `unknown` is what tabs need (`TabWords.needs`) and was not calculated; `notice` stands above the
    table.
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
        """The name of the address of its files."""
        return f"{self.area}:{self.listing.name}-export"

    def table_columns(self, context: ListContext) -> list[ListColumn]:
        """The columns of the table, from the left, behind the name."""
        shown = [column for column in self.columns if column.is_shown(context)]
        return sorted(shown, key=lambda column: column.place)

    def file_columns(self, context: ListContext) -> list[FileColumn]:
        """The columns of a file."""
        return list(chain.from_iterable(column.files for column in self.columns if column.is_known(context)))

    def table_rows(self, rows: list[Row], context: ListContext, *, link: str) -> list[dict[str, Any]]:
        """What the table shows of each row. Links to other pages end with `link`."""
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
        """The filters on offer at the moment that is shown."""
        return tuple(f for f in self.filters if context.at is None or f.is_past)

    def counted(self, number: int) -> str:
        """'1 person', '236 people'."""
        return f"{number:,} {self.noun[0] if number == 1 else self.noun[1]}"
