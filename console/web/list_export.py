"""Exports all pages of a filtered list, such as that of requests, and records this in the journal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.http import Http404
from django.http.response import HttpResponseBase

from console.web.access import ViewerRequest
from console.web.address_choices import to_page_with_problems
from console.web.context import frame_of
from console.web.files import FORMS, Values, csv_lines, download, json_lines, json_value, objects_lines
from iam.guard import Right
from iam.journal.services import record
from iam.keyset import KeysetPlace, RowPage

T = TypeVar("T")


def export_list(
    request: ViewerRequest,
    form: str,
    *,
    name: str,
    columns: Sequence[str],
    filters: dict[str, Any],
    rows: Iterator[Sequence[Any]],
    page: str,
    others: Collection[str] = (),
) -> HttpResponseBase:
    """Record the export and return the file; each row has one value per column.

    `others` are JSON lines formats that only this list offers. Choices that mean nothing lead to `page`, the
    address of the list, which says what is wrong. Raises Http404 for an unknown format and for viewers
    without the right to export in the chosen account or, if none is chosen, in any account.
    """
    chosen = frame_of(request).chosen
    number = chosen.account_id if chosen else ""
    if form not in (*FORMS, *others) or not request.viewer.may(Right.EXPORT, account_id=number or None):
        raise Http404
    if way := to_page_with_problems(request, page):
        return way
    record(
        kind="list.export",
        actor=request.viewer,
        subject=name,
        account_id=number,
        data={"form": form, "query": request.GET.urlencode()},
    )
    now = datetime.now(tz=UTC)
    about = {"list": name, "account": number or None, "exported_at": json_value(now), "filters": filters}
    values: Iterator[Values] = (dict(zip(columns, row, strict=True)) for row in rows)
    if form in others:
        parts = objects_lines(values)
    else:
        parts = csv_lines(columns, values) if form == "csv" else json_lines(about, values)
    file_name = f"gatehouse-{name}-{number or 'all-accounts'}-{now:%Y-%m-%dT%H%M%SZ}"
    return download(parts, form=form, name=file_name)


def pages_of(page_after: Callable[[KeysetPlace | None], RowPage[T]]) -> Iterator[list[T]]:
    """Yield the rows of each page up to the last one."""
    page = page_after(None)
    yield page.rows
    while page.after is not None:
        page = page_after(page.after)
        yield page.rows
