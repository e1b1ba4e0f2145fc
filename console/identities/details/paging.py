"""Pages of the lists inside of a page: the place in the address, links to the neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from console.web.access import ViewerRequest
from iam.mirror.queries.keyset import Order, Place, Row, page

SEPARATOR = "~"


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a page, and the places where its neighbours begin ("" where there is none)."""

    rows: list[Row]
    before: str
    after: str


def page_of(request: ViewerRequest, rows: QuerySet[Any, Any], *, column: str, tie: str, size: int) -> Page:
    """The page that `?after=` or `?before=` name; a place that makes no sense is the beginning. One query."""
    order = Order(column, tie)
    slice_of_rows = page(
        rows,
        order=order,
        size=size,
        after=_place(request.GET.get("after", "")),
        before=_place(request.GET.get("before", "")),
    )
    before = (
        _text(order.place(slice_of_rows.rows[0])) if slice_of_rows.has_before and slice_of_rows.rows else ""
    )
    after = (
        _text(order.place(slice_of_rows.rows[-1])) if slice_of_rows.has_after and slice_of_rows.rows else ""
    )
    return Page(
        rows=slice_of_rows.rows,
        before=before,
        after=after,
    )


def _place(text: str) -> Place | None:
    number, _, value = text.partition(SEPARATOR)
    return Place(value, int(number)) if number.isdecimal() and len(number) < 19 else None


def _text(place: Place) -> str:
    return f"{place.pk}{SEPARATOR}{place.value}"
