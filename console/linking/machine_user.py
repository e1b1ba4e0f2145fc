"""The page for a machine user where somebody wanted to do what is for people only: it says why not, and what
can be done.
"""

from __future__ import annotations

from django.http import HttpResponse

from console.web.access import ViewerRequest
from console.web.render import render_page
from iam.linking.owners import owning_team
from iam.mirror.models import Entity


def machine_page(request: ViewerRequest, user: Entity, *, refused: str, section: str) -> HttpResponse:
    """Say that a machine user can't be, for example, "offboarded" (`refused`), and what can be done
    instead.
    """
    context = {"user": user, "refused": refused, "section": section, "owned": owning_team(user)}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "linking/machine.html", context, status=status)
