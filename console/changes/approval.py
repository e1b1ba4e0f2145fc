"""Views of a waiting request: comment, earlier deadline, break-glass, and the review of break-glass."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from console.changes.forms import BreakGlassForm, CommentForm, ReviewForm
from console.changes.page import SEES, acting_on, address_of, change_or_404, first_of
from console.changes.receipt import receipt_context
from console.changes.request_context import refused_page, request_context
from console.operators.recency import recently_authenticated
from console.web.access import ViewerRequest, require
from console.web.kept_text import keep_text
from console.web.moments import read_input
from console.web.render import render_page
from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.models import ChangeState
from iam.changes.services.break_glass_use import glass_of
from iam.directory.approval_words import someone_else
from iam.guard import Right
from iam.people.offboarding.models import OF_SUSPENSION


@require_POST
@require(*SEES)
def comment(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Add a comment."""
    shown, form = acting_on(request, pk), CommentForm(request.POST)
    if not services.may_comment(shown, viewer=request.viewer) and shown.state == ChangeState.AWAITING:
        raise Http404
    try:
        if not form.is_valid():
            raise RefusedError("Enter a comment of up to 1,000 characters.")
        services.comment(shown, actor=request.viewer, text=form.cleaned_data["text"])
    except RefusedError as refused:
        text = request.POST.get("text", "")
        if not services.may_comment(first_of(request, pk), viewer=request.viewer):
            keep_text(request, text)
        return refused_page(request, pk, refused, said=text[:1000])
    return redirect(address_of(shown))


@require_POST
@require(Right.APPROVE_CHANGE, Right.REQUEST_CHANGE)
def shorten(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Set an earlier deadline, entered in the reader's time zone."""
    shown, typed = acting_on(request, pk), request.POST.get("until", "")[:32]
    until = read_input(typed)
    if until is None:
        error = "Enter an end date and time."
        return refused_page(request, pk, None, until_error=error, ends_input=typed)
    try:
        services.shorten(shown, actor=request.viewer, until=until)
    except RefusedError as refused:
        return refused_page(request, pk, None, until_error=refused.message, ends_input=typed)
    messages.success(request, "Duration shortened. Review the receipt, then decide.")
    return redirect(address_of(shown))


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
@recently_authenticated
def break_glass(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Apply the viewer's own request without approval, after explaining what that means and asking why it is
    urgent.
    """
    shown = first_of(request, acting_on(request, pk).pk)
    form, refused = BreakGlassForm(request.POST or None), None
    if shown.requested_by != request.viewer.person_id:
        raise Http404
    if request.method == "POST" and form.is_valid():
        try:
            form_data = form.cleaned_data
            services.break_glass(
                shown, actor=request.viewer, reason=form_data["reason"], seen_digest=form_data["seen"]
            )
        except RefusedError as error:
            refused = error
        else:
            messages.warning(request, f"Applying without approval. {someone_else()} reviews it.")
            return redirect(address_of(shown))
    shown = change_or_404(request, shown.pk)
    context = request_context(request, shown)
    if refused is not None and not context.get("breaks_glass"):
        keep_text(request, request.POST.get("reason", ""))
    context |= {"form": form, "refused": refused, "section": "changes"}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "changes/break_glass.html", context, status=status)


@require_http_methods(["GET", "POST"])
@require(Right.APPROVE_CHANGE, Right.MANAGE_OPERATORS)
@recently_authenticated
def review(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Review a request that was applied without approval, by another person, who accepts it or requests an
    undo.
    """
    shown = first_of(request, acting_on(request, pk).pk)
    glass = glass_of(shown.change_set_id)
    if glass is None:
        raise Http404
    if request.method != "POST" and glass.change_set.cause_kind == OF_SUSPENSION:
        # A suspension is confirmed or ended on the person's offboarding page.
        return redirect("offboarding:run", pk=glass.change_set.cause_id)
    form = ReviewForm(request.POST) if request.method == "POST" else ReviewForm.blank()
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            undoing = services.review(glass, actor=request.viewer, **form.given())
        except RefusedError as error:
            refused = error
        else:
            outcome = "Reviewed. Undo requested." if undoing else "Reviewed and accepted."
            messages.success(request, outcome)
            next_shown = undoing[0] if undoing else shown
            return redirect(address_of(next_shown))
    context = request_context(request, shown)
    if refused is not None and not context["glass"]["reviews"]:
        keep_text(request, request.POST.get("comment", ""))
    context |= receipt_context(
        shown.receipt, account=shown.account, request=request, together=shown.change_set.receipt
    )
    context |= {"form": form, "refused": refused, "section": "approvals"}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "changes/review.html", context, status=status)
