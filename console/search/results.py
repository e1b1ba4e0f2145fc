"""Data types shared by all kinds of search results."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A search result: `url` is "" if it has no page. `kind` and `detail` appear below the title,
    `identifier` in monospace.
    """

    title: str
    url: str
    icon: str
    kind: str = ""
    detail: str = ""
    identifier: str = ""
    gone_at: datetime | None = None

    @property
    def second_line(self) -> str:
        """The second line of a suggestion: 'IAM user, production'."""
        return ", ".join(part for part in (self.kind, self.detail) if part)

    @property
    def below(self) -> str:
        """The second line on the page, where the section names the kind: 'production,' before an
        identifier.
        """
        text = self.detail or self.kind
        return f"{text}," if text and self.identifier else text


class FirstResults(NamedTuple):
    """The closest results of a kind, and their total."""

    results: list[SearchResult]
    total: int


@dataclass(frozen=True, slots=True)
class ResultSection:
    """Results of a kind: `total` is their number, and `rest` the address of all of them, or "" if no list has
    them.
    """

    title: str
    results: list[SearchResult]
    total: int
    rest: str = ""

    @property
    def is_cut(self) -> bool:
        """Whether there are more than shown."""
        return self.total > len(self.results)
