"""What people say and do about a set that waits: the page of its approval, a comment, an earlier end, break-glass and its review."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.changes.change import SEES, acting_on, change_or_404, page_context, refused_page
from console.changes.forms import BreakGlassForm, CommentForm, ReviewForm, ShortenForm
from console.changes.receipt import receipt_context
from console.changes.shown import call_rows
from console.operators.recency import recently_authenticated
from console.web.access import ViewerRequest, require
from console.web.render import render_page
from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.queries import timeline, visible_changes
from iam.changes.services.breaking import glass_of
from iam.guard import Right

LISTED = 50
"""So many changes of a set are shown with their calls; the rest have pages of their own."""


@never_cache
@require_GET
@require(*SEES)
def approval(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """The whole set that a change is part of, as whoever decides looks at it; decided, the page of the change says more."""
    shown = _first_of(request, pk)
    if shown.state != ChangeState.AWAITING:
        return redirect("changes:change", pk=shown.pk)
    context = page_context(request, shown, timeline(shown)) | _set_context(request, shown)
    return render_page(request, "changes/approval.html", context)


def _first_of(request: ViewerRequest, pk: UUID) -> Change:
    """The first change of the set that the viewer sees; 404 for a set of which they see nothing."""
    shown = change_or_404(request, pk)
    seen = visible_changes(request.viewer).filter(change_set=shown.change_set).order_by("position")
    first = seen.values_list("pk", flat=True).first()
    return change_or_404(request, first) if first else shown


def _set_context(request: ViewerRequest, shown: Change) -> dict[str, Any]:
    parts = visible_changes(request.viewer).filter(change_set=shown.change_set).select_related("account")
    listed = list(parts.order_by("position")[:LISTED])
    total = parts.count()
    return {
        "listed": [(part, call_rows(part.calls, partition=part.account.partition)) for part in listed],
        "set_total": total,
        "set_more": total > LISTED,
        "set_hidden": shown.change_set.changes.count() - total,
        "set_calls": sum(len(part.calls) for part in listed),
        "accounts_in": sorted({part.account.name for part in listed}),
    }


@require_POST
@require(*SEES)
def comment(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Say something about it."""
    shown, form = acting_on(request, pk), CommentForm(request.POST)
    if not services.may_comment(shown, viewer=request.viewer) and shown.state == ChangeState.AWAITING:
        raise Http404
    try:
        if not form.is_valid():
            raise RefusedError("Write what you have to say, in at most 1,000 characters.")
        services.comment(shown, actor=request.viewer, text=form.cleaned_data["text"])
    except RefusedError as refused:
        return refused_page(request, pk, refused, said=request.POST.get("text", "")[:1000])
    return _back(request, shown)


@require_POST
@require(Right.APPROVE_CHANGE, Right.REQUEST_CHANGE)
def shorten(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Let it end earlier."""
    shown, form = acting_on(request, pk), ShortenForm(request.POST)
    try:
        if not form.is_valid():
            raise RefusedError("Write the day and the time at which it ends, in UTC.")
        until: datetime = form.cleaned_data["until"]
        services.shorten(shown, actor=request.viewer, until=until.replace(tzinfo=UTC))
    except RefusedError as refused:
        return refused_page(request, pk, refused)
    messages.success(request, "It ends earlier now. Look at the receipt, then decide.")
    return _back(request, shown)


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
@recently_authenticated
def break_glass(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Apply one's own request without approval: what that means, and why it cannot wait."""
    shown = _first_of(request, acting_on(request, pk).pk)
    form, refused = BreakGlassForm(request.POST or None), None
    if shown.requested_by != request.viewer.person_id:
        raise Http404
    if request.method == "POST" and form.is_valid():
        try:
            given = form.cleaned_data
            services.break_glass(
                shown, actor=request.viewer, reason=given["reason"], seen_digest=given["seen"]
            )
        except RefusedError as error:
            refused = error
        else:
            messages.warning(request, "It is being applied without approval. Somebody else reviews it.")
            return redirect("changes:change", pk=shown.pk)
    shown = change_or_404(request, shown.pk)
    context = page_context(request, shown, timeline(shown)) | _set_context(request, shown)
    context |= {"form": form, "refused": refused, "section": "changes"}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "changes/break_glass.html", context, status=status)


@require_http_methods(["GET", "POST"])
@require(Right.APPROVE_CHANGE, Right.MANAGE_OPERATORS)
@recently_authenticated
def review(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Look at what was applied without approval, as somebody else, and accept it or have it undone."""
    shown = _first_of(request, acting_on(request, pk).pk)
    glass = glass_of(shown.change_set_id)
    if glass is None:
        raise Http404
    form = ReviewForm(request.POST) if request.method == "POST" else ReviewForm.blank()
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            undoing = services.review(glass, actor=request.viewer, **form.given())
        except RefusedError as error:
            refused = error
        else:
            messages.success(request, "Reviewed. Asked to undo it." if undoing else "Reviewed and accepted.")
            return redirect("changes:change", pk=undoing[0].pk if undoing else shown.pk)
    context = page_context(request, shown, timeline(shown)) | _set_context(request, shown)
    context |= receipt_context(
        shown.receipt, account=shown.account, request=request, together=shown.change_set.receipt
    )
    context |= {"form": form, "refused": refused, "section": "approvals"}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "changes/review.html", context, status=status)


def _back(request: ViewerRequest, shown: Change) -> HttpResponse:
    """To the page on which the form was: the one of the approval, or the one of the change."""
    target = "changes:approval" if "/approval/" in request.headers.get("Referer", "") else "changes:change"
    return redirect(target, pk=shown.pk)
