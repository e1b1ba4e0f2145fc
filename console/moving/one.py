"""One move, live: what it came to, and how each change stands."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console.leaving.shown import steps_shown
from console.moving.begin import line_rows
from console.moving.lists import SEES, TONES
from console.setup.progress import step_of
from console.web.access import ViewerRequest, found_or_404, require
from console.web.render import render_live
from iam.changes.models import Change, ChangeState
from iam.mirror.models import Entity
from iam.mirror.queries.visibility import visible_entities
from iam.people.leaving.models import Leaver
from iam.people.moving.elsewhere import left_id, made_id
from iam.people.moving.models import MoveState
from iam.people.moving.queries import move_for
from iam.people.onboarding.models import Newcomer


@never_cache
@require_safe
@require(*SEES)
def move_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """How it stands."""
    move = found_or_404(move_for(request.viewer, pk))
    changes = list(
        Change.objects.filter(change_set=move.change_set_id).select_related("account").order_by("position")
    )
    step = step_of(request)
    pace = step.wait if move.is_open else ""
    users = visible_entities(request.viewer).filter(pk__in=move.users).select_related("account")
    context: dict[str, Any] = {
        "section": "onboarding",
        "move": move,
        "mark": (str(move.get_state_display()), *TONES[MoveState(move.state)]),
        "accounts": line_rows(move.summary),
        "steps": steps_shown(changes),
        "done": sum(one.state == ChangeState.APPLIED for one in changes),
        "share": round(100 * sum(one.state == ChangeState.APPLIED for one in changes) / max(1, len(changes))),
        "users": _users(users),
        "made": Newcomer.objects.filter(run=made_id(move.pk)).select_related("run").first(),
        "left": Leaver.objects.filter(run=left_id(move.pk)).select_related("run").first(),
        "polls": f"{reverse('moving:move', args=[move.pk])}?n={step.following}",
    }
    return render_live(request, "moving/move.html", context, pace=pace)


def _users(users: Any) -> list[Entity]:
    return list(users.order_by("account__name", "pk"))
