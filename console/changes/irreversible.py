"""The list of operations that AWS can’t undo."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from console.web.access import ViewerRequest, layout_for, require
from iam.changes.irreversible import losses, returns
from iam.guard import Right


@require_GET
@require(Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF)
def irreversible(request: ViewerRequest) -> HttpResponse:
    """Show each irreversible operation with a reversible alternative."""
    context = {
        "losses": losses(),
        "returns": returns(),
        "section": "changes",
        "layout": layout_for(request.viewer),
    }
    return render(request, "changes/irreversible.html", context)
