"""Exports all grants that match the list's filters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.access.grants.lists import SEES, GrantRow, rows_of, wanted_in
from console.web.access import ViewerRequest, require
from console.web.list_export import export_list, pages_of
from iam.access.grants.queries import list_grants
from iam.access.last_uses import HeldUse
from iam.guard import Viewer

COLUMNS: Final = (
    "grant_id",
    "reference",
    "title",
    "effect",
    "template",
    "template_version",
    "status",
    "accounts",
    "account_ids",
    "hidden_holders",
    "end",
    "ends_at",
    "actions_last_used",
    "requested_by",
    "requested_by_id",
    "requested_at",
)


@require_safe
@require(*SEES)
def grants_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """Export the list. Raises Http404 for viewers without the right to export."""
    wanted = wanted_in(request)
    return export_list(
        request,
        form,
        name="grants",
        columns=COLUMNS,
        filters=wanted,
        page=reverse("access:grants"),
        rows=_rows(request.viewer, wanted),
    )


def _rows(viewer: Viewer, wanted: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    for rows in pages_of(lambda after: list_grants(viewer, **wanted, after=after)):
        for row in rows_of(rows, viewer):
            yield _export_row(row)


def _export_row(row: GrantRow) -> tuple[Any, ...]:
    grant = row.grant
    never = grant.is_over and not grant.begins_at
    numbers = [number for number, _ in row.places]
    if row.unplanned and not row.others:
        numbers = list(grant.terms["accounts"])
    return (
        str(grant.pk),
        grant.reference,
        grant.title,
        row.effect,
        grant.template,
        grant.template_version or None,
        row.mark.text,
        [name for _, name in row.places],
        numbers,
        row.others,
        "Never started" if never else row.end.words or row.end.label,
        None if never else row.end.at,
        _last_used(row.use),
        grant.requested_label,
        str(grant.requested_by),
        grant.created_at,
    )


def _last_used(use: HeldUse | None) -> datetime | str | None:
    """Return when the grant was last used, or a text if that is unknown or never happened; None without use
    data.
    """
    if use is None or use.at:
        return use.at if use else None
    return "No recorded use" if use.is_known else "Unknown"
