"""The list of grants as a file: every grant that is filtered, on all pages of the list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from django.http import Http404
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from console.access.grants.lists import SEES, Row, rows_of, wanted_in
from console.web.access import ViewerRequest, require
from console.web.context import frame_of
from console.web.files import FORMS, csv_lines, download, json_lines, json_value
from iam.access.grants.queries import list_grants
from iam.changes.queries import Place
from iam.guard import Right, Viewer
from iam.journal.services import record

COLUMNS: Final = (
    "grant_id", "reference", "title", "effect", "template", "template_version", "status", "accounts", "account_ids",
    "hidden_holders", "end", "ends_at", "requested_by", "requested_by_id", "requested_at",
)  # fmt: skip


@require_safe
@require(*SEES)
def grants_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """All of them as a file; 404 for who may not export. Noted in the journal."""
    wanted, viewer = wanted_in(request), request.viewer
    chosen = frame_of(request).chosen
    number = chosen.account_id if chosen else ""
    if form not in FORMS or not viewer.may(Right.EXPORT, account_id=number or None):
        raise Http404
    record(
        kind="list.export",
        actor=viewer,
        subject="grants",
        account_id=number,
        data={"form": form, "query": request.GET.urlencode()},
    )
    now = datetime.now(tz=UTC)
    about = {"list": "grants", "account": number or None, "exported_at": json_value(now), "filters": wanted}
    rows = _values(viewer, wanted)
    parts = csv_lines(COLUMNS, rows) if form == "csv" else json_lines(about, rows)
    return download(
        parts, form=form, name=f"gatehouse-grants-{number or 'all-accounts'}-{now:%Y-%m-%dT%H%M%SZ}"
    )


def _values(viewer: Viewer, wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
    after: Place | None = None
    is_first = True
    while after or is_first:
        page = list_grants(viewer, **wanted, after=after)
        after, is_first = page.following, False
        for row in rows_of(page.rows, viewer):
            yield dict(zip(COLUMNS, _of(row), strict=True))


def _of(row: Row) -> tuple[Any, ...]:
    grant = row.grant
    never = grant.is_over and not grant.begins_at
    numbers = [number for number, _ in row.places]
    if row.unplanned and not row.others:
        numbers = list(grant.terms["accounts"])
    return (
        str(grant.pk), grant.reference, grant.title, row.effect, grant.template, grant.template_version or None, row.mark.text,
        [name for _, name in row.places], numbers, row.others, "Never started" if never else row.end.words or row.end.label,
        None if never else row.end.at, grant.requested_label, str(grant.requested_by), grant.created_at,
    )  # fmt: skip
