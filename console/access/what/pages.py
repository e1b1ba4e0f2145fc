"""The address at which the step can be looked at again while somebody fills it in; it keeps nothing."""

from __future__ import annotations

from typing import Final

from django.http import HttpResponse
from django.views.decorators.http import require_POST

from console.access.what.posted import posted
from console.access.what.shown import shown
from console.web.access import ViewerRequest, require
from console.web.render import render_page
from iam.guard import Right
from iam.mirror.queries.accounts import visible_accounts

MOST_ACCOUNTS: Final = 200


@require_POST
@require(Right.REQUEST_CHANGE)
def what(request: ViewerRequest) -> HttpResponse:
    """The step as its fields say: the part with htmx, else a page of its own with it. `in` names the accounts."""
    asked = request.GET.getlist("in")[:MOST_ACCOUNTS]
    seen = set(visible_accounts(request.viewer).values_list("account_id", flat=True)) if asked else set()
    accounts = tuple(one for one in dict.fromkeys(asked) if one in seen)
    state = posted(request.POST, accounts=accounts)
    context = {"what": shown(request, state, accounts=accounts), "section": "grants"}
    return render_page(request, "access/what/page.html", context, partial="what")
