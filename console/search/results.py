"""What every kind of search result has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A line of the search: `url` is "" where no page shows it. `kind` and `detail` stand below the title,
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
        """The second line on the page, where the section already names the kind: 'production,' before an
        identifier.
        """
        text = self.detail or self.kind
        return f"{text}," if text and self.identifier else text


class FirstResults(NamedTuple):
    """The closest results of one kind, and how many there are."""

    results: list[SearchResult]
    total: int


@dataclass(frozen=True, slots=True)
class ResultSection:
    """Results of one kind: `total` is how many there are, `rest` the address of all of them, or "" where
    nothing lists them.
    """

    title: str
    results: list[SearchResult]
    total: int
    rest: str = ""

    @property
    def is_cut(self) -> bool:
        """Whether there are more than are shown."""
        return self.total > len(self.results)
