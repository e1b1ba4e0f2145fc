"""The list of team changes that the viewer can see."""

from __future__ import annotations

from typing import Final

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from console.runs.marks import mark_of
from console.web.access import ViewerRequest, require
from console.web.page_cursors import page_number
from console.web.render import render_page
from iam.guard import Right
from iam.people.moving.queries import visible_moves

SEES: Final = (Right.SEE_ACCOUNT, Right.SEE_TEAM)
PAGE: Final = 50


@require_safe
@require(*SEES)
def moves_page(request: ViewerRequest) -> HttpResponse:
    """List the team changes, newest first."""
    rows = visible_moves(request.viewer).order_by("-created_at", "-id")
    page = Paginator(rows, PAGE).get_page(page_number(request))
    context = {
        "section": "onboarding",
        "rows": [(move, *mark_of(move)) for move in page],
        "page": page,
    }
    return render_page(request, "moving/moves.html", context)
