"""The list of changes, and the inbox of approvals."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from console.changes.access_rows import weight_of
from console.changes.shown import MARKS
from console.web.access import ViewerRequest, layout_for, require
from console.web.render import render_page
from iam.changes.models import Change
from iam.changes.queries import (
    STATES,
    Place,
    decided_by,
    list_changes,
    visible_changes,
    waiting_for,
    waiting_for_others,
)
from iam.guard import Right

TABS = (
    ("", "All"),
    ("waiting", "Waiting"),
    ("running", "Under way"),
    ("applied", "Applied"),
    ("trouble", "Failed or unknown"),
    ("closed", "Closed"),
)
SHORT = 50
"""How many rows an inbox shows; more than that is a list, not an inbox."""


@require_GET
@require(Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF)
def changes(request: ViewerRequest) -> HttpResponse:
    """Everything that was asked for, newest first."""
    get = request.GET
    tab = get.get("tab", "") if get.get("tab", "") in STATES else ""
    text, mine = get.get("q", "").strip()[:200], get.get("mine") == "1"
    page = list_changes(
        request.viewer,
        tab=tab,
        text=text,
        account_id=get.get("account", ""),
        mine=mine,
        after=Place.parse(get.get("after", "")),
    )
    context = {
        "rows": _rows(page.rows),
        "following": page.following,
        "is_first": "after" not in get,
        "tab": tab,
        "tabs": TABS,
        "q": text,
        "mine": mine,
        "may_ask": request.viewer.may(Right.REQUEST_CHANGE),
        "section": "changes",
        "sees_others": request.viewer.may(Right.SEE_ACCOUNT) or request.viewer.may(Right.SEE_TEAM),
        "layout": layout_for(request.viewer),
    }
    return render_page(request, "changes/list.html", context, partial="table")


@require_GET
@require(Right.APPROVE_CHANGE)
def approvals(request: ViewerRequest) -> HttpResponse:
    """What waits for this viewer, what they asked for themselves, and what they have decided."""
    viewer = request.viewer
    tab = request.GET.get("tab", "")
    number = request.GET.get("account", "")
    waiting, others = waiting_for(viewer), waiting_for_others(viewer)
    mine = visible_changes(viewer).filter(
        requested_by=viewer.person_id, state="awaiting_approval", position=0
    )
    chosen = {
        "mine": mine.select_related("account").order_by("created_at", "id"),
        "decided": decided_by(viewer),
    }.get(tab, waiting)
    if number:
        chosen, others = (c.filter(account__account_id=number) for c in (chosen, others))
    context = {
        "rows": _rows(list(chosen[:SHORT])),
        "others": _rows(list(others[:SHORT])) if not tab else [],
        "count": waiting.count(),
        "mine_count": mine.count(),
        "tab": tab if tab in ("mine", "decided") else "",
        "section": "approvals",
    }
    return render_page(request, "changes/approvals.html", context, partial="inbox")


def _rows(found: list[Change]) -> list[dict[str, object]]:
    rows = []
    for change in found:
        rows.append(
            {
                "change": change,
                "mark": MARKS[change.state],
                **weight_of(change.receipt),
                "is_sensitive": change.receipt["sensitivity"] == "high",
            }
        )
    return rows
