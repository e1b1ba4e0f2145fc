"""Code shared by all accounts pages, such as whether the viewer can change anything, which is never possible
in the past.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from console.web.access import ViewerRequest
from console.web.render import render_page
from iam.guard import Right


def setup_page(
    request: ViewerRequest, template: str, context: dict[str, Any], *, partial: str = "", status: int = 200
) -> HttpResponse:
    """Render a page of the accounts area; a page that shows a past moment has `at` in its context, all others
    show the present.
    """
    number = context["account"].account_id if context.get("account") else None
    is_now = context.get("at") is None
    shared = {
        "section": "accounts",
        "at": None,
        "may_manage": is_now and request.viewer.may(Right.MANAGE_ACCOUNTS, account_id=number),
        "may_connect": is_now and request.viewer.may(Right.MANAGE_ACCOUNTS),
    }
    return render_page(request, f"setup/{template}", shared | context, partial=partial, status=status)
