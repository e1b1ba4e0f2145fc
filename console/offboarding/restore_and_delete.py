"""Requests to restore a person's access or to delete their users; both need approval."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from console.changes.presenters import rows_by_account
from console.offboarding.detail import leaver_or_404
from console.web.access import ViewerRequest, require, require_present
from console.web.kept_text import keep_text
from console.web.render import render_page
from iam.changes.errors import RefusedError, field_errors
from iam.guard import Right
from iam.people.offboarding.models import Leaver, OffboardingStage
from iam.people.offboarding.repeat_invitation import invite_again
from iam.people.offboarding.requester_scope import of_leaver
from iam.people.offboarding.restore_and_delete import (
    RESTORABLE,
    deletion_plans,
    request_deletion,
    request_return,
)
from iam.people.offboarding.restore_plan import return_plans
from iam.people.offboarding.restored_sign_in import password_of
from iam.people.offboarding.rules import may_act
from iam.people.offboarding.services import MAX_REASON
from iam.people.offboarding.suspension import checked_reason

PREVIEW_CALLS = 12
RESET_FIRST = "A new password is being set. The invitation follows as soon as AWS has it."


@require_http_methods(["GET", "HEAD", "POST"])
@require(Right.REQUEST_CHANGE)
def leaver_restore(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show what can be restored and what can’t; a POST requests it."""
    leaver = leaver_or_404(request, pk)
    require_present(request)
    reason, refused = request.POST.get("reason", "")[: MAX_REASON + 1], None
    if request.method == "POST":
        try:
            request_return(request.viewer, leaver=leaver, reason=checked_reason(reason))
        except RefusedError as error:
            refused = error
        else:
            messages.success(request, "Restore requested. Access comes back when the request is approved.")
            return redirect("offboarding:leaver", pk=pk)
    context = _request_context(leaver, refused, reason=reason)
    context["can"] = leaver.stage in RESTORABLE and may_act(request.viewer, leaver)
    if context["can"]:
        viewer = of_leaver(leaver.pk, request.viewer)
        plans, _, lost = return_plans(leaver, viewer=viewer)
        context |= {
            "steps": [(plan.operation.account.name, plan.operation.title) for plan in plans],
            "lost": lost,
            "gets_link": any(password_of(seat) for seat in leaver.seats.all()),
        }
    if refused is not None and not (context.get("steps") or leaver.stage == OffboardingStage.PARTLY):
        keep_text(request, reason)
    status = 422 if refused else 200
    return render_page(request, "offboarding/restore.html", context, status=status)


@require_POST
@require(Right.REQUEST_CHANGE)
def leaver_invite(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Send a restored person another invitation, with a new password if the former one can’t be shown."""
    leaver = leaver_or_404(request, pk)
    require_present(request)
    try:
        link = invite_again(request.viewer, leaver=leaver)
    except RefusedError as error:
        messages.error(request, error.message)
    else:
        done = f"Another invitation was sent to {link.person.email}." if link else RESET_FIRST
        messages.success(request, done)
    return redirect("offboarding:leaver", pk=pk)


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def leaver_delete(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show what will be deleted permanently; a POST requests it."""
    leaver = leaver_or_404(request, pk)
    require_present(request)
    refused: RefusedError | None = None
    if request.method == "POST":
        try:
            reason = checked_reason(request.POST.get("reason", "")[: MAX_REASON + 1])
            request_deletion(request.viewer, leaver=leaver, reason=reason)
        except RefusedError as error:
            refused = error
        else:
            messages.success(
                request, "Deletion requested. The IAM users are deleted when the request is approved."
            )
            return redirect("offboarding:leaver", pk=pk)
    context = _request_context(leaver, refused, reason=request.POST.get("reason", "")[:1000])
    context |= {"steps": [], "calls": []}
    try:
        plans, _ = deletion_plans(leaver, viewer=of_leaver(leaver.pk, request.viewer))
    except RefusedError as error:
        context["refused"] = refused or error
    else:
        calls = []
        for plan in plans:
            account = plan.operation.account
            calls.extend([(call, account) for call in plan.receipt.body["calls"]])
        context |= {
            "steps": [
                (plan.operation.account.name, plan.operation.title, plan.operation.irreversible)
                for plan in plans
            ],
            "calls": rows_by_account(calls[:PREVIEW_CALLS]),
            "more_calls": max(0, len(calls) - PREVIEW_CALLS),
        }
    status = 422 if refused else 200
    return render_page(request, "offboarding/delete.html", context, status=status)


def _request_context(leaver: Leaver, refused: RefusedError | None, *, reason: str) -> dict[str, Any]:
    """Return the common context: the input, and why the request was refused."""
    return {
        "section": "leaving",
        "leaver": leaver,
        "refused": refused,
        "errors": field_errors(refused),
        "reason": reason,
    }
