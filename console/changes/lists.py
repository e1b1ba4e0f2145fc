"""The list of requests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from console.changes.impact_rows import level_shown
from console.changes.presenters import MARKS, SET_MARKS
from console.changes.weights import weight_of_request
from console.web.access import ViewerRequest, layout_for, require
from console.web.address_choices import choice, is_ticked
from console.web.files import file_links
from console.web.page_cursors import place_in, word_of
from console.web.query import QueryPairs
from console.web.render import render_page
from iam.changes.approval import ends
from iam.changes.approval.needs import is_grave, risk_of
from iam.changes.models import Change
from iam.changes.queries import STATES, list_changes
from iam.changes.set_state import standings_of
from iam.changes.summary import blocks_of
from iam.changes.titles import partly_hidden, references_of, title_of
from iam.changes.undone import NOTHING_UNDONE, undone_parts_of
from iam.guard import Right, Viewer
from iam.mirror.queries.accounts import whole_accounts

TABS = (
    ("", "All"),
    ("waiting", "Waiting for approval"),
    ("running", "In progress"),
    ("applied", "Done"),
    ("trouble", "Failed"),
    ("unknown", "Unknown outcome"),
    ("closed", "Cancelled"),
)


@require_GET
@require(Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF)
def changes(request: ViewerRequest) -> HttpResponse:
    """List the requests, newest first."""
    get, wanted = request.GET, wanted_in(request)
    page = list_changes(
        request.viewer, **wanted, after=place_in(request, "after", kind=datetime, pk_kind=UUID)
    )
    context = {
        "rows": rows_of(page.rows, viewer=request.viewer),
        "following": word_of(page.after) or None,
        "is_first": "after" not in get,
        "tab": wanted["tab"],
        "tabs": TABS,
        "q": wanted["text"],
        "mine": wanted["mine"],
        "files": _files(request.viewer, wanted) if page.rows else [],
        "may_ask": request.viewer.may(Right.REQUEST_CHANGE),
        "may_make": whole_accounts(request.viewer).exists(),
        "section": "changes",
        "sees_others": request.viewer.may(Right.SEE_ACCOUNT) or request.viewer.may(Right.SEE_TEAM),
        "layout": layout_for(request.viewer),
    }
    return render_page(request, "changes/list.html", context, partial="table")


def wanted_in(request: ViewerRequest) -> dict[str, Any]:
    """Return the filters in the address, for the list and its export."""
    get = request.GET
    return {
        "tab": choice(request, "tab", STATES),
        "text": get.get("q", "").strip()[:200],
        "account_id": get.get("account", ""),
        "mine": is_ticked(request, "mine"),
    }


def _files(viewer: Viewer, wanted: dict[str, Any]) -> list[tuple[str, str]]:
    if not viewer.may(Right.EXPORT):
        return []
    pairs = (("tab", wanted["tab"]), ("q", wanted["text"]), ("account", wanted["account_id"]))
    return file_links(
        "changes:export", QueryPairs.from_pairs([*pairs, ("mine", "1" if wanted["mine"] else "")])
    )


def rows_of(changes: Sequence[Change], *, viewer: Viewer) -> list[dict[str, Any]]:
    """Return the rows of a list of requests.

    Each is based on the first change that the viewer sees: title, subject, account, status and weight, as on
    its page. Takes at most six queries.
    """
    sets = [change.change_set_id for change in changes]
    partial, references = partly_hidden(sets, viewer=viewer), references_of(changes)
    standings = standings_of(sets)
    undone_parts = undone_parts_of(sets, viewer=viewer)
    ending = ends.ends_of([change.change_set for change in changes])
    lasting = ends.lasts_of([change.change_set for change in changes])
    rows = []
    for change in changes:
        is_partial = change.change_set_id in partial
        blocks = blocks_of(change.change_set.summary, plain=not viewer.sees_accounts)
        standing = standings[change.change_set_id]
        rows.append(
            {
                "change": change,
                "reference": references[change.change_set_id],
                "title": title_of(change, is_partial=is_partial),
                "blocks": [] if is_partial else blocks,
                "ends_at": ending.get(change.change_set_id),
                "lasts": lasting.get(change.change_set_id, ""),
                "mark": MARKS[change.state] if is_partial else SET_MARKS[standing.state],
                "standing_words": "" if is_partial else standing.words,
                "undone_words": undone_parts.get(change.change_set_id, NOTHING_UNDONE).words,
                "is_sensitive": is_grave(change),
                "risk": level_shown(risk_of(change)),
                **weight_of_request(change, is_planned=standing.is_only_planned),
            }
        )
    return rows
