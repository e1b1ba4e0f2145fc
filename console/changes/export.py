"""Exports all requests that match the list's filters."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.changes.lists import rows_of, wanted_in
from console.web.access import ViewerRequest, require
from console.web.list_export import export_list, pages_of
from iam.changes.queries import list_changes
from iam.changes.summary import SummaryBlock
from iam.guard import Right, Viewer

COLUMNS: Final = (
    "request_id",
    "change_id",
    "reference",
    "title",
    "what",
    "accounts",
    "account_ids",
    "lasts",
    "ends_at",
    "status",
    "progress",
    "actions_gained",
    "actions_lost",
    "actions_changed",
    "policies_gained",
    "policies_lost",
    "affected",
    "risk",
    "requested_by",
    "requested_by_id",
    "requested_at",
    "undone",
)


@require_safe
@require(Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF)
def changes_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """Export the list. Raises Http404 for viewers without the right to export."""
    wanted = wanted_in(request)
    return export_list(
        request,
        form,
        name="changes",
        columns=COLUMNS,
        filters=wanted,
        page=reverse("changes:list"),
        rows=_rows(request.viewer, wanted),
    )


def _rows(viewer: Viewer, wanted: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    for rows in pages_of(lambda after: list_changes(viewer, **wanted, after=after)):
        for row in rows_of(rows, viewer=viewer):
            yield _export_row(row)


def _export_row(row: dict[str, Any]) -> tuple[Any, ...]:
    """Return a row; if the viewer sees only a part of a request, it names only that part's account, as in the
    list.
    """
    change, blocks = row["change"], row["blocks"]
    places = dict.fromkeys(chain.from_iterable(block.accounts for block in blocks))
    places = places or {(change.account.account_id, change.account.name): None}
    ends = [row["ends_at"], *(block.until for block in blocks)]
    return (
        str(change.change_set_id),
        str(change.pk),
        row["reference"],
        row["title"],
        _what(blocks),
        [name for _, name in places],
        [number for number, _ in places],
        row["lasts"],
        next((end for end in ends if end), None) if not row["lasts"] else None,
        row["mark"].text,
        row["standing_words"],
        row.get("more", 0),
        row.get("less", 0),
        row.get("other", 0),
        row.get("gains", 0),
        row.get("loses", 0),
        row.get("affected_words", ""),
        row["risk"].text,
        change.requested_label,
        str(change.requested_by),
        change.created_at,
        row["undone_words"],
    )


def _what(blocks: list[SummaryBlock]) -> list[str]:
    texts: list[str] = []
    for block in blocks:
        texts += block.what
        if block.more:
            texts.append(f"and {block.more:,} more")
    return texts
