"""The list of changes."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from console.changes.access_rows import weight_of
from console.changes.shown import MARKS
from console.web.access import ViewerRequest, layout_for, require
from console.web.render import render_page
from iam.changes.models import Change
from iam.changes.queries import STATES, Place, list_changes
from iam.guard import Right
from iam.mirror.queries.accounts import whole_accounts

TABS = (
    ("", "All"),
    ("waiting", "Waiting"),
    ("running", "Under way"),
    ("applied", "Applied"),
    ("trouble", "Failed or unknown"),
    ("closed", "Closed"),
)


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
        "rows": rows_of(page.rows),
        "following": page.following,
        "is_first": "after" not in get,
        "tab": tab,
        "tabs": TABS,
        "q": text,
        "mine": mine,
        "may_ask": request.viewer.may(Right.REQUEST_CHANGE),
        "may_make": whole_accounts(request.viewer).exists(),
        "section": "changes",
        "sees_others": request.viewer.may(Right.SEE_ACCOUNT) or request.viewer.may(Right.SEE_TEAM),
        "layout": layout_for(request.viewer),
    }
    return render_page(request, "changes/list.html", context, partial="table")


def rows_of(found: list[Change]) -> list[dict[str, object]]:
    """The rows of a list, as `_weight.html` weighs them."""
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
