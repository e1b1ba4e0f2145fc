"""Pages of the lists inside of a page: the place in the address, links to the neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from console.web.access import ViewerRequest
from console.web.page_cursors import place_in, word_of
from iam.keyset import KeysetOrder, Row, page


@dataclass(frozen=True, slots=True)
class LinkedPage:
    """The rows of a page, and the words of its neighbours ("" where there is none)."""

    rows: list[Row]
    before: str
    after: str


def page_of(
    request: ViewerRequest, rows: QuerySet[Any, Any], *, column: str, tie: str, size: int
) -> LinkedPage:
    """The page that `?after=` or `?before=` name; a place that makes no sense is the beginning. One query."""
    after, before = place_in(request, "after"), place_in(request, "before")
    part = page(rows, order=KeysetOrder(column, tie), size=size, after=after, before=before)
    return LinkedPage(part.rows, before=word_of(part.before), after=word_of(part.after))
