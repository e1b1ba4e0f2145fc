"""Links in messages, which lead to a page after sign-in and do nothing else."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_GET

from console.web.access import ViewerRequest
from console.web.render import render_page
from iam.notify.links import LinkError, target_of

NOT_YOURS = (
    "This link was sent to someone else and opens only for them. Your own requests are listed under "
    "Approvals."
)


@require_GET
def follow(request: ViewerRequest, word: str) -> HttpResponse:
    """Redirect the link's recipient to its page, which does its own access checks."""
    try:
        target = target_of(word)
    except LinkError as error:
        return _refuse(request, str(error), status=410)
    if target.person_id != request.viewer.person_id:
        return _refuse(request, NOT_YOURS, status=403)
    response = redirect(target.path)
    add_never_cache_headers(response)
    return response


def _refuse(request: ViewerRequest, why: str, *, status: int) -> HttpResponse:
    return render_page(request, "notify/link.html", {"why": why, "section": ""}, status=status)
