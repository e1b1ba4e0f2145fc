"""The list of frameworks with how each stands."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from console.web.access import ViewerRequest, require, require_present
from console.web.render import render_page
from iam.audit.frameworks.definitions import all_frameworks
from iam.guard import Right


@require(Right.SEE_ACCOUNT)
@require_safe
def frameworks_page(request: ViewerRequest) -> HttpResponse:
    """Every framework."""
    require_present(request)
    context = {"frameworks": list(all_frameworks().values()), "section": "compliance"}
    return render_page(request, "compliance/frameworks.html", context)
