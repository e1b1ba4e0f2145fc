"""Lost MFA devices: report one, and verify the person's identity by a second person."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import Case, Q, Value, When
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from console.operators.recency import recently_authenticated
from console.web.access import ViewerRequest, layout_for, require
from console.web.kept_text import keep_text
from console.web.render import render_page
from iam.changes.errors import RefusedError, field_errors
from iam.guard import Right, Viewer
from iam.mirror.models import Entity, Kind
from iam.people.enrolment.invitation import may_invite
from iam.people.replacing import services
from iam.people.replacing.models import SURE, DeviceReplacement, IdentityCheckChannel, ReplacementState

SEES = (Right.SEE_SELF, Right.REQUEST_CHANGE)
PAGE = 50
TONES = {
    ReplacementState.WAITING: ("note", "hourglass"),
    ReplacementState.CHECKED: ("ok", "check"),
    ReplacementState.REFUSED: ("bad", "x"),
    ReplacementState.EXPIRED: ("", "clock"),
}
REPORTED = tuple(channel for channel in IdentityCheckChannel if channel is not IdentityCheckChannel.PORTAL)


@require_http_methods(["GET", "POST"])
@require(*SEES)
@recently_authenticated
def report_lost_device(request: ViewerRequest, pk: int) -> HttpResponse:
    """Report which device was lost, and how."""
    devices = Entity.objects.filter(
        pk=pk, kind=Kind.MFA_DEVICE, owner__gone_at__isnull=True, gone_at__isnull=True
    )
    device = devices.select_related("owner__account", "account").first()
    if device is None or device.owner is None or request.at is not None:
        raise Http404
    if not services.may_ask(request.viewer, user=device.owner):
        raise Http404
    context = _frame(request.viewer) | {
        "device": device,
        "user": device.owner,
        "account": device.account,
        "is_own": device.owner.arn in request.viewer.scope.user_arns,
        "channels": [(choice.value, choice.label) for choice in REPORTED],
        "why_not": services.why_not_ask(request.viewer, device=device, user=device.owner),
        "given": request.POST,
        "errors": {},
        "refused": None,
    }
    if request.method == "GET":
        return render_page(request, "mfa/lost.html", context)
    try:
        made = services.ask(
            request.viewer,
            device=device,
            over=request.POST.get("over", IdentityCheckChannel.PORTAL.value),
            reason=request.POST.get("reason", ""),
        )
    except RefusedError as refused:
        shown = {"errors": field_errors(refused), "refused": refused}
        return render_page(request, "mfa/lost.html", context | shown, status=422)
    return redirect("mfa:replacement", pk=made.pk)


@require_safe
@require(Right.REQUEST_CHANGE)
def index(request: ViewerRequest) -> HttpResponse:
    """List the lost devices of people for whom the viewer can request changes: waiting ones first, then the
    newest.
    """
    now = datetime.now(tz=UTC)
    waits = Q(state=ReplacementState.WAITING, until__gt=now)
    rows = services.visible_replacements(request.viewer).order_by(
        Case(When(waits, then=Value(0)), default=Value(1)), "-asked_at"
    )
    context = _frame(request.viewer) | {
        "sees_accounts": request.viewer.sees_accounts,
        "rows": [(replacement, *_mark(replacement)) for replacement in rows[:PAGE]],
    }
    return render_page(request, "mfa/replacements.html", context)


def _mark(replacement: DeviceReplacement) -> tuple[str, str, str]:
    """Return (label, tone, icon); an unanswered report counts as expired even before beat updates it."""
    is_over = replacement.state == ReplacementState.WAITING and replacement.until <= datetime.now(tz=UTC)
    state = ReplacementState.EXPIRED if is_over else ReplacementState(replacement.state)
    return (state.label, *TONES[state])


@require_http_methods(["GET", "POST"])
@require(*SEES)
@recently_authenticated
def replacement(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show a lost device; the second person decides here."""
    replacement = _one(request, pk)
    refused: RefusedError | None = None
    address = ""
    if request.method == "POST":
        try:
            if request.POST.get("do") != "show":
                _decide(request, replacement)
                return redirect("mfa:replacement", pk=pk)
            replacement.link, address = services.show_link(request.viewer, replacement)
        except RefusedError as refusal:
            refused = refusal
    why_not = services.why_not_check(request.viewer, replacement)
    if refused is not None and why_not:
        keep_text(request, request.POST.get("how", ""))
    state, tone, icon_name = _mark(replacement)
    context: dict[str, Any] = _frame(request.viewer) | {
        "one": replacement,
        "tone": tone,
        "icon_name": icon_name,
        "state": state,
        "has_mail": settings.MAIL_IS_CONFIGURED,
        "link_address": address,
        "shows": not address and services.may_show(request.viewer, replacement),
        "why_not": why_not if replacement.state == ReplacementState.WAITING else "",
        "decides": not why_not,
        "channels": [(c.value, c.label) for c in SURE if c != replacement.asked_over],
        "given": request.POST,
        "errors": field_errors(refused),
        "refused": refused,
        "sees_change": may_invite(request.viewer, user=replacement.user),
    }
    status = 422 if refused else 200
    return render_page(request, "mfa/replacement.html", context, status=status)


def _decide(request: ViewerRequest, replacement: DeviceReplacement) -> None:
    post = request.POST
    if post.get("do") == "refuse":
        services.refuse(request.viewer, replacement, why=post.get("how", ""))
        return
    services.check(request.viewer, replacement, over=post.get("over", ""), how=post.get("how", ""))
    who_gets_it = (
        f"A link is on its way to {replacement.person.name}, and the"
        if settings.MAIL_IS_CONFIGURED
        else "The"
    )
    messages.success(request, f"{who_gets_it} removal waits for approval.")


def _one(request: ViewerRequest, pk: UUID) -> DeviceReplacement:
    """Return the replacement.

    Raises Http404 unless the viewer is the person, the requester, or can request changes for the user.
    """
    rows = services.visible_replacements(request.viewer).select_related(
        "user__account", "device", "person", "asked_by", "decided_by", "removal", "link"
    )
    replacement = rows.filter(pk=pk).first()
    if replacement is None or request.at is not None:
        raise Http404
    return replacement


def _frame(viewer: Viewer) -> dict[str, Any]:
    return {"layout": layout_for(viewer), "section": "fleet"}
