"""What all accounts pages share: they show what is now, and know whether the viewer may change anything."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from console.web.access import ViewerRequest
from console.web.render import render_page
from iam.guard import Right


def setup_page(
    request: ViewerRequest, template: str, context: dict[str, Any], *, partial: str = "", status: int = 200
) -> HttpResponse:
    """Render a page of the accounts area. How fresh something is has no past: the as-of moment of other pages does not apply here."""
    number = context["account"].account_id if context.get("account") else None
    shared = {
        "section": "accounts",
        "at": None,
        "may_manage": request.viewer.may(Right.MANAGE_ACCOUNTS, account_id=number),
        "may_connect": request.viewer.may(Right.MANAGE_ACCOUNTS),
    }
    return render_page(request, f"setup/{template}", shared | context, partial=partial, status=status)
