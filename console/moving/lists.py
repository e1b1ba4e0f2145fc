"""Who moved, that the viewer sees."""

from __future__ import annotations

from typing import Final

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.views.decorators.http import require_safe

from console.web.access import ViewerRequest, require
from console.web.render import render_page
from iam.guard import Right
from iam.people.moving.models import MoveState
from iam.people.moving.queries import visible_moves

SEES: Final = (Right.SEE_ACCOUNT, Right.SEE_TEAM)
PAGE: Final = 50
TONES: Final = {
    MoveState.WAITING: ("note", "hourglass"),
    MoveState.RUNNING: ("info", "loader-circle"),
    MoveState.DONE: ("ok", "circle-check"),
    MoveState.PARTLY: ("bad", "triangle-alert"),
    MoveState.CLOSED: ("", "x"),
}
"""(tone, icon) of each state."""


@require_safe
@require(*SEES)
def moves_page(request: ViewerRequest) -> HttpResponse:
    """Moves, the newest first."""
    rows = visible_moves(request.viewer).order_by("-created_at", "-id")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "section": "onboarding",
        "rows": [(move, str(move.get_state_display()), *TONES[MoveState(move.state)]) for move in page],
        "page": page,
    }
    return render_page(request, "moving/moves.html", context)
