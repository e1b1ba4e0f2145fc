"""Two moments of one entity, or of one account, side by side."""

from __future__ import annotations

from django.http import HttpResponse

from console.web.access import ViewerRequest, require
from console.web.render import render_page
from iam.guard import Right


@require(Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF)
def compare(request: ViewerRequest) -> HttpResponse:
    """What differs between `from` and `to` for `entity` or `account`; without them, the form."""
    return render_page(request, "identities/compare.html", {})
