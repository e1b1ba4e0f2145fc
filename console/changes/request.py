"""The page of a request: all changes that are approved together."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from console.changes.page import SEES, first_of, is_single
from console.changes.request_context import request_context
from console.web.access import ViewerRequest, require
from console.web.render import is_fragment, render_live


@never_cache
@require_GET
@require(*SEES)
def request_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the request of a change; a request with one change is shown at the address of the change."""
    shown = first_of(request, pk)
    if is_single(shown):
        return redirect("changes:change", pk=shown.pk)
    context = request_context(request, shown)
    if is_fragment(request) and request.GET.get("seen") == context["version"]:
        return HttpResponse(status=204)
    return render_live(request, "changes/request.html", context, pace=context["pace"])


@require_GET
@require(*SEES)
def former_address(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Redirect addresses in mails of earlier versions."""
    return redirect("changes:request", pk=first_of(request, pk).pk)
