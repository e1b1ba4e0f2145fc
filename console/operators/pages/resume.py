"""After somebody has confirmed who they are: the form that they had sent, filled in, to send it now."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from console.operators.kept_form import kept
from console.web.access import ViewerRequest
from console.web.render import render_page


@never_cache
@require_GET
def resume(request: ViewerRequest) -> HttpResponse:
    """The form that was kept, with one button; without one, the overview."""
    form = kept(request)
    if form is None:
        return redirect("/")
    context = {"path": form["path"], "fields": form["fields"], "section": "profile"}
    return render_page(request, "operators/resume.html", context)
