"""The list of accounts whose root user has access keys. Gatehouse can’t rotate these keys, and no account
should have one.
"""

from __future__ import annotations

from typing import Final

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from console.web.access import ViewerRequest, require
from console.web.context import frame_of
from console.web.page_cursors import page_number
from console.web.render import render_page
from iam.guard import Right
from iam.people.fleet.roots import roots

PAGE: Final = 50


@require_safe
@require(Right.SEE_ACCOUNT)
def roots_page(request: ViewerRequest) -> HttpResponse:
    """Show the accounts whose root user has a key, and the numbers of safe and unknown ones."""
    request.at = None
    page = page_number(request)
    known = roots(request.viewer, account=frame_of(request).chosen)
    roots_with_keys = [root for root in known if root.keys]
    shown = roots_with_keys[(page - 1) * PAGE : page * PAGE]
    context = {
        "section": "keys",
        "sees_accounts": True,
        "account": frame_of(request).chosen,
        "rows": shown,
        "total": len(roots_with_keys),
        "safe": sum(root.keys == 0 for root in known),
        "unknown": sum(root.keys is None for root in known),
        "page": page,
        "has_more": len(roots_with_keys) > page * PAGE,
        "first": (page - 1) * PAGE + 1,
        "last": (page - 1) * PAGE + len(shown),
    }
    return render_page(request, "rotation/roots.html", context)
