"""The list of requests as a file: every request that is filtered, on all pages of the list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from django.http import Http404
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from console.changes.lists import rows_of, wanted_in
from console.web.access import ViewerRequest, require
from console.web.context import frame_of
from console.web.files import FORMS, csv_lines, download, json_lines, json_value
from iam.changes.queries import Place, list_changes
from iam.changes.summary import Block
from iam.guard import Right, Viewer
from iam.journal.services import record

COLUMNS: Final = (
    "request_id", "change_id", "reference", "title", "what", "accounts", "account_ids", "lasts", "ends_at", "status", "progress",
    "actions_gained", "actions_lost", "actions_changed", "policies_gained", "policies_lost", "affected", "risk",
    "requested_by", "requested_by_id", "requested_at",
)  # fmt: skip


@require_safe
@require(Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF)
def changes_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """All of them as a file; 404 for who may not export. Noted in the journal."""
    wanted, viewer = wanted_in(request), request.viewer
    chosen = frame_of(request).chosen
    number = chosen.account_id if chosen else ""
    if form not in FORMS or not viewer.may(Right.EXPORT, account_id=number or None):
        raise Http404
    record(
        kind="list.export",
        actor=viewer,
        subject="changes",
        account_id=number,
        data={"form": form, "query": request.GET.urlencode()},
    )
    now = datetime.now(tz=UTC)
    about = {"list": "changes", "account": number or None, "exported_at": json_value(now), "filters": wanted}
    rows = _values(viewer, wanted)
    parts = csv_lines(COLUMNS, rows) if form == "csv" else json_lines(about, rows)
    return download(
        parts, form=form, name=f"gatehouse-changes-{number or 'all-accounts'}-{now:%Y-%m-%dT%H%M%SZ}"
    )


def _values(viewer: Viewer, wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
    after: Place | None = None
    is_first = True
    while after or is_first:
        page = list_changes(viewer, **wanted, after=after)
        after, is_first = page.following, False
        for row in rows_of(page.rows, viewer=viewer):
            yield dict(zip(COLUMNS, _of(row), strict=True))


def _of(row: dict[str, Any]) -> tuple[Any, ...]:
    """A request of which the viewer sees a part names the account of that part only, as in the list."""
    change, blocks = row["change"], row["blocks"]
    places = dict.fromkeys(place for block in blocks for place in block.accounts)
    places = places or {(change.account.account_id, change.account.name): None}
    ends = [row["ends_at"], *(block.until for block in blocks)]
    return (
        str(change.change_set_id), str(change.pk), change.reference, row["title"], _what(blocks),
        [name for _, name in places], [number for number, _ in places], row["lasts"],
        next((end for end in ends if end), None) if not row["lasts"] else None, row["mark"].text, row["standing_words"],
        row.get("more", 0), row.get("less", 0), row.get("other", 0), row.get("gains", 0), row.get("loses", 0),
        row.get("affected_words", ""), row["risk"].text, change.requested_label, str(change.requested_by), change.created_at,
    )  # fmt: skip


def _what(blocks: list[Block]) -> list[str]:
    said: list[str] = []
    for block in blocks:
        said += block.what
        if block.more:
            said.append(f"and {block.more:,} more")
    return said
