"""The first page after the sign-in."""

from __future__ import annotations

from django.http import HttpResponse

from console.web.access import ViewerRequest, require
from console.web.render import render_page
from iam.guard import Right
from iam.mirror.queries.accounts import visible_accounts


@require(Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF)
def overview(request: ViewerRequest) -> HttpResponse:
    """What the viewer should know first."""
    accounts = visible_accounts(request.viewer).order_by("name", "id")[:12]
    return render_page(request, "dashboard/overview.html", {"accounts": accounts, "section": "overview"})
