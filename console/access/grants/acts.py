"""What people do with a grant: end it, withdraw it; each on a page of its own that says what it means."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid4

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from console.access.grants.one import acting_on, grant_context, refused
from console.access.grants.shown import parts_shown
from console.web.access import ViewerRequest, require
from console.web.render import render_page
from iam.access.grants.hidden import hidden_holders
from iam.access.grants.models import Grant
from iam.access.grants.services.ending import end_grant
from iam.access.grants.services.rights import may_end, may_withdraw
from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.guard import Right

SEES: Final = (Right.REQUEST_CHANGE, Right.APPROVE_CHANGE, Right.SEE_SELF)


@require_http_methods(["GET", "POST"])
@require(*SEES)
def end(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Take it away now; what would go is named first."""
    found = acting_on(request, pk)
    if may_end(found, viewer=request.viewer):
        raise Http404
    error = None
    if request.method == "POST":
        try:
            end_grant(found, actor=request.viewer, reason=request.POST.get("why", ""))
            return redirect("access:grant", pk=pk)
        except RefusedError as why_not:
            error = why_not
    words = {
        "label": "End now",
        "question": f"End {found.reference} now?",
        "button": "End it",
        "is_danger": True,
    }
    return _page(request, found, words, name="end", error=error)


def _page(
    request: ViewerRequest,
    found: Grant,
    words: dict[str, Any],
    *,
    name: str,
    error: RefusedError | None = None,
) -> HttpResponse:
    hidden = hidden_holders(found, viewer=request.viewer)
    parts = parts_shown(found, viewer=request.viewer, hidden=hidden)
    context = (
        grant_context(request, found, parts, hidden=hidden)
        | {
            "address": reverse(f"access:grant-{name}", args=[found.pk]),
            "key": request.POST.get("key") or uuid4(),
            "why": request.POST.get("why", "")[:2000],
            "refused": error,
            "errors": {},
        }
        | words
    )
    return render_page(request, "access/grants/act.html", context, status=422 if error else 200)


@require_POST
@require(*SEES)
def withdraw(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Take one's own request back while it waits."""
    found = acting_on(request, pk)
    if found.requested_by != request.viewer.person_id:
        raise Http404
    try:
        if why := may_withdraw(found, viewer=request.viewer):
            raise RefusedError(why)
        part = found.parts.select_related("change_set").order_by("pk").first()
        if part is None:
            raise Http404
        changes.withdraw(part.change_set.changes.order_by("position")[0], actor=request.viewer)
    except RefusedError as error:
        return refused(request, pk, error)
    return redirect("access:grant", pk=pk)
