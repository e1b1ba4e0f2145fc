"""Lists that show their first rows only: they say how many there are, and a link shows the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from django.db.models import QuerySet
from django.http import HttpRequest

Row = TypeVar("Row")
MAX_OF_ALL: Final = 5000
"""So many rows a page shows at most, whatever it is asked for."""
ALL: Final = "all"


class ShortenedList(list[Row]):
    """The first rows of a list, and how many there are."""

    def __init__(self, rows: Sequence[Row], total: int) -> None:
        super().__init__(rows)
        self.total = total

    @property
    def more(self) -> int:
        """How many rows are not shown."""
        return self.total - len(self)

    @property
    def can_grow(self) -> bool:
        """Whether a page can show more rows than these."""
        return self.more > 0 and len(self) < MAX_OF_ALL

    def with_rows(self, rows: Sequence[Any]) -> ShortenedList[Any]:
        """Other rows in the place of these, one for each."""
        return ShortenedList(rows, self.total + len(rows) - len(self))


def first_rows(
    request: HttpRequest, rows: QuerySet[Any, Row] | Sequence[Row], *, most: int, name: str = ""
) -> ShortenedList[Row]:
    """The first rows, or all of them where the address says `all=NAME`. Counts only if there are more.

    `name` tells this list from others on its page. The template includes `components/cut.html`.
    """
    if request.GET.get(ALL, "") == (name or "1"):
        most = MAX_OF_ALL
    shown = list(rows[: most + 1])
    if len(shown) <= most:
        return ShortenedList(shown, len(shown))
    total = rows.count() if isinstance(rows, QuerySet) else len(rows)
    return ShortenedList(shown[:most], total)
