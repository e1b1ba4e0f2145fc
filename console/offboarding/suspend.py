"""Suspends a person: their access is blocked at once, and someone else confirms it or access is restored."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from console.offboarding.detail import leaver_or_404
from console.offboarding.labels import plain_steps
from console.web.access import ViewerRequest, require, require_present
from console.web.kept_text import keep_text
from console.web.render import render_page
from iam.changes.errors import RefusedError, field_errors
from iam.guard import Right
from iam.people.offboarding.leaver_lookup import LeaverUsers
from iam.people.offboarding.models import Leaver
from iam.people.offboarding.queries import openable
from iam.people.offboarding.services import MAX_REASON
from iam.people.offboarding.suspension import (
    person_to_suspend,
    plan_suspension,
    request_suspension,
    suspended_already,
    why_not_suspend,
)
from iam.people.offboarding.suspension_decisions import CUT, confirm, order_restore, take_back


@require_http_methods(["GET", "HEAD", "POST"])
@require(Right.REQUEST_CHANGE)
def suspend_page(request: ViewerRequest) -> HttpResponse:
    """Show what is blocked for the person of `user` (an entity ID).

    A POST suspends them, once even if the form is sent several times.
    """
    require_present(request)
    number = request.GET.get("user", "")
    if not number:
        return redirect("offboarding:begin")
    is_number = number.isdecimal() and len(number) < 18
    person = person_to_suspend(request.viewer, int(number)) if is_number else None
    if person is None:
        raise Http404
    if request.method != "POST":
        return _page(request, person, number)
    try:
        run = request_suspension(
            request.viewer,
            person=person,
            reason=request.POST.get("reason", ""),
            key=request.POST.get("key", "")[:64] or f"user-{number}",
        )
    except RefusedError as error:
        return _page(request, person, number, refused_now=error)
    return redirect("offboarding:leaver", pk=run.people.get().pk)


@require_http_methods(["GET", "HEAD", "POST"])
@require(Right.APPROVE_CHANGE, Right.MANAGE_OPERATORS)
def leaver_confirm(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Confirm a suspension or order the restore, as another person than the one who suspended."""
    leaver = leaver_or_404(request, pk)
    if request.method != "POST" or request.at is not None:
        return redirect("offboarding:leaver", pk=pk)
    comment = request.POST.get("comment", "")[: MAX_REASON + 1]
    try:
        if request.POST.get("do") == "restore":
            order_restore(request.viewer, leaver=leaver, comment=comment)
            messages.success(request, f"Restoring the access of {leaver.name}.")
        else:
            confirm(request.viewer, leaver=leaver, comment=comment)
            messages.success(request, confirmed_text(leaver))
    except RefusedError as error:
        messages.error(request, error.message)
        keep_text(request, comment)
    return redirect("offboarding:leaver", pk=pk)


def confirmed_text(leaver: Leaver) -> str:
    """Return what a confirmation did; if access was restored meanwhile, it is only a review."""
    leaver.refresh_from_db(fields=["stage"])
    if leaver.stage not in CUT:
        return "Suspension reviewed. Nothing changed in AWS."
    return "Suspension confirmed. It stays in force until someone restores access."


@require_http_methods(["GET", "HEAD", "POST"])
@require(Right.REQUEST_CHANGE)
def leaver_take_back(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Restore access at once, by the person who suspended, before anyone has confirmed it."""
    leaver = leaver_or_404(request, pk)
    if request.method != "POST" or request.at is not None:
        return redirect("offboarding:leaver", pk=pk)
    reason = request.POST.get("comment", "")[: MAX_REASON + 1]
    try:
        take_back(request.viewer, leaver=leaver, reason=reason)
    except RefusedError as error:
        messages.error(request, error.message)
        keep_text(request, reason)
    else:
        messages.success(request, f"Restoring the access of {leaver.name}.")
    return redirect("offboarding:leaver", pk=pk)


def suspend_context(request: ViewerRequest, person: LeaverUsers) -> dict[str, Any]:
    """Return what a suspension would block, for its page and for the card beside an offboarding."""
    if why := why_not_suspend(request.viewer, person):
        return {"cannot_suspend": why}
    seat = suspended_already(person.users)
    if seat is not None:
        return {"suspended": seat.leaver, "openable": openable(request.viewer, [seat.leaver])}
    try:
        plan = plan_suspension(person.users, viewer=request.viewer)
    except RefusedError as error:
        return {"cannot_suspend": error.message}
    if not any(site.operations for site in plan.sites):
        return {"cannot_suspend": f"{person.name} has no access left to cut."}
    return {
        "can_suspend": True,
        "cut_steps": [(site, plain_steps(site.operations)) for site in plan.sites],
    }


def _page(
    request: ViewerRequest, person: LeaverUsers, number: str, *, refused_now: RefusedError | None = None
) -> HttpResponse:
    context = {
        "section": "leaving",
        "person": person,
        "number": number,
        "reason": request.POST.get("reason", "")[:MAX_REASON],
        "key": request.POST.get("key", "")[:64] or uuid4().hex,
        "refused_now": refused_now,
        "errors": field_errors(refused_now),
    }
    context |= suspend_context(request, person)
    if refused_now is not None and not context.get("can_suspend"):
        keep_text(request, request.POST.get("reason", ""))
    status = 422 if refused_now else 200
    return render_page(request, "offboarding/suspend.html", context, status=status)
