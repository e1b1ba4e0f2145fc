"""The page that explains why an action for people isn’t possible for a machine user, with alternatives."""

from __future__ import annotations

from django.http import HttpResponse

from console.web.access import ViewerRequest
from console.web.render import render_page
from iam.linking.owners import owning_team
from iam.mirror.models import Entity


def machine_page(request: ViewerRequest, user: Entity, *, refused: str, section: str) -> HttpResponse:
    """Render the page; `refused` is the action, such as "offboarded"."""
    context = {"user": user, "refused": refused, "section": section, "owned": owning_team(user)}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "linking/machine.html", context, status=status)
