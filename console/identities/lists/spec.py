"""What a list page says in words: its title, tabs, filters, columns, and what it exports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from iam.keyset import Row
from iam.mirror.queries.lists.core import Lens, Listing


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
class Filter:
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


Column = tuple[str, Callable[[Row, Lens], Any]]


@dataclass(frozen=True, slots=True)
class BulkAct:
    """A button below a list that opens a page about the selected rows (`id` in its address)."""

    label: str
    icon: str
    url: str


@dataclass(frozen=True, slots=True)
class Page:
    """A list page. `present` turns the rows of a page into what its template shows; `export` gives name and
    value of every column of a file: text, number, moment, or a list of texts. `team_intro` and `team_find`
    are for who sees only their teams; `area` is whose addresses it has; `acts` are what the viewer can do
    with selected rows besides exporting them; `unknown` is what tabs need (`TabWords.needs`) and was not
    calculated; `notice` stands above the table.
    """

    listing: Listing
    title: str
    noun: tuple[str, str]
    intro: str
    icon: str
    template: str
    find: str
    tabs: tuple[TabWords, ...]
    filters: tuple[Filter, ...]
    present: Callable[[list[Row], Lens], list[dict[str, Any]]]
    export: Callable[[Lens], tuple[Column, ...]]
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

    def filters_for(self, lens: Lens) -> tuple[Filter, ...]:
        """The filters on offer at the moment that is shown."""
        return tuple(f for f in self.filters if lens.at is None or f.is_past)

    def counted(self, number: int) -> str:
        """'1 person', '236 people'."""
        return f"{number:,} {self.noun[0] if number == 1 else self.noun[1]}"
