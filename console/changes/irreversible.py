"""The list of what AWS does not give back."""

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
    """Each operation that cannot be undone, with the reversible means beside it."""
    context = {
        "losses": losses(),
        "returns": returns(),
        "section": "changes",
        "layout": layout_for(request.viewer),
    }
    return render(request, "changes/irreversible.html", context)
