"""Give somebody their access back, or have their users deleted: each is asked for and approved."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from console.changes.shown import call_rows
from console.leaving.one import leaver_or_404
from console.web.access import ViewerRequest, require, require_present
from console.web.render import render_page
from iam.changes.errors import RefusedError
from iam.guard import Right
from iam.people.leaving.afterwards import deletion_plans, request_deletion, request_return
from iam.people.leaving.reaching import of_leaver

SHOWN_CALLS = 12


@require_POST
@require(Right.REQUEST_CHANGE)
def leaver_restore(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Ask that access is given back."""
    leaver = leaver_or_404(request, pk)
    require_present(request)
    try:
        request_return(request.viewer, leaver=leaver, reason=request.POST.get("reason", "")[:1000])
    except RefusedError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Asked for. Access comes back when it is approved.")
    return redirect("leaving:leaver", pk=pk)


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def leaver_delete(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """What is deleted, and that nothing brings it back; posted, it is asked for."""
    leaver = leaver_or_404(request, pk)
    require_present(request)
    refused: RefusedError | None = None
    if request.method == "POST":
        try:
            request_deletion(request.viewer, leaver=leaver, reason=request.POST.get("reason", "")[:1000])
        except RefusedError as error:
            refused = error
        else:
            messages.success(request, "Asked for. The users are deleted when it is approved.")
            return redirect("leaving:leaver", pk=pk)
    context: dict[str, Any] = {
        "section": "leaving",
        "leaver": leaver,
        "refused": refused,
        "reason": request.POST.get("reason", "")[:1000],
        "steps": [],
        "calls": [],
    }
    try:
        plans, _ = deletion_plans(leaver, viewer=of_leaver(leaver.pk, request.viewer))
    except RefusedError as error:
        context["refused"] = refused or error
    else:
        calls = [call for one in plans for call in one.receipt.body["calls"]]
        context |= {
            "steps": [
                (one.operation.account.name, one.operation.title, one.operation.irreversible) for one in plans
            ],
            "calls": call_rows(calls[:SHOWN_CALLS], partition=plans[0].operation.account.partition),
            "more_calls": max(0, len(calls) - SHOWN_CALLS),
        }
    return render_page(request, "leaving/delete.html", context, status=422 if refused else 200)
