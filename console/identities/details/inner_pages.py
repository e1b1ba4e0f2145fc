"""Pagination of lists within a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from console.web.access import ViewerRequest
from console.web.page_cursors import place_in, word_of
from iam.keyset import KeysetOrder, Row, page


@dataclass(frozen=True, slots=True)
class LinkedPage:
    """The rows of a page, and the cursors of its neighbors ("" if there is none)."""

    rows: list[Row]
    before: str
    after: str


def page_of(
    request: ViewerRequest, rows: QuerySet[Any, Any], *, column: str, tie: str, size: int
) -> LinkedPage:
    """Return the page after `?after=` or before `?before=`; an invalid cursor gives the first page. Takes one
    query.
    """
    after, before = place_in(request, "after"), place_in(request, "before")
    part = page(rows, order=KeysetOrder(column, tie), size=size, after=after, before=before)
    return LinkedPage(part.rows, before=word_of(part.before), after=word_of(part.after))
