"""Lists that show only their first rows, with the total and a link to the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from django.db.models import QuerySet
from django.http import HttpRequest

Row = TypeVar("Row")
MAX_OF_ALL: Final = 5000
"""Maximum number of rows on a page, even with `all`."""
ALL: Final = "all"


class ShortenedList(list[Row]):
    """The first rows of a list, and the total number of rows."""

    def __init__(self, rows: Sequence[Row], total: int) -> None:
        super().__init__(rows)
        self.total = total

    @property
    def more(self) -> int:
        """The number of rows not shown."""
        return self.total - len(self)

    @property
    def can_grow(self) -> bool:
        """Whether the page could show more rows than these."""
        return self.more > 0 and len(self) < MAX_OF_ALL

    def with_rows(self, rows: Sequence[Any]) -> ShortenedList[Any]:
        """Return the list with these rows in place of its own, one for each."""
        return ShortenedList(rows, self.total + len(rows) - len(self))


def first_rows(
    request: HttpRequest, rows: QuerySet[Any, Row] | Sequence[Row], *, most: int, name: str = ""
) -> ShortenedList[Row]:
    """Return the first `most` rows, or up to MAX_OF_ALL if the address has `all=NAME`.

    Counts the rows only if there are more. `name` distinguishes several lists on a page. The template
    includes `components/cut.html`.
    """
    if request.GET.get(ALL, "") == (name or "1"):
        most = MAX_OF_ALL
    shown = list(rows[: most + 1])
    if len(shown) <= most:
        return ShortenedList(shown, len(shown))
    total = rows.count() if isinstance(rows, QuerySet) else len(rows)
    return ShortenedList(shown[:most], total)
