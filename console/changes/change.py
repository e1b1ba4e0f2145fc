"""The page of a change, which updates while it is in progress, and views to decide, withdraw and refresh."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.changes.forms import DecisionForm
from console.changes.page import (
    SEES,
    acting_on,
    address_of,
    change_or_404,
    first_of,
    is_single,
    page_context,
)
from console.changes.presenters import pace_of, version_of
from console.changes.request_context import refused_page, request_context
from console.changes.trail_records import record_pace
from console.operators.recency import recently_authenticated
from console.web.access import ViewerRequest, require
from console.web.kept_text import keep_text
from console.web.post_only import answers_get_with_its_page
from console.web.render import is_fragment, render_live
from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.queries import timeline
from iam.changes.services.decisions import MAX_COMMENT
from iam.guard import Right

DECIDES = (Right.APPROVE_CHANGE, Right.REQUEST_CHANGE)
"""Rights of people who may have to decide: approvers, and administrators and team leads if a rule requires
them.
"""


@never_cache
@require_GET
@require(*SEES)
def change(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show a change; a change without siblings shows its request.

    A polling request (`seen`) gets the live part, 204 if nothing changed, or 286 to stop polling.
    """
    shown = change_or_404(request, pk)
    if is_single(shown):
        context, template = request_context(request, shown), "changes/request.html"
    else:
        events = timeline(shown)
        context = page_context(request, shown, events)
        pace = pace_of(shown) or record_pace(context["calls"])
        context |= {"version": version_of(shown, events, pace=pace), "pace": pace}
        template = "changes/change.html"
    if is_fragment(request) and request.GET.get("seen") == context["version"]:
        return HttpResponse(status=204)
    return render_live(request, template, context, pace=context["pace"])


@answers_get_with_its_page
@require_http_methods(["GET", "POST"])
@require(*DECIDES)
@recently_authenticated
def decide(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Approve or reject. A GET comes from re-authentication and is redirected to the form."""
    shown = acting_on(request, pk)
    # A person who was too late still gets the page with the decision, and their comment back.
    if shown.state == ChangeState.AWAITING and not _is_concerned(request, shown):
        raise Http404
    if request.method == "GET":
        return redirect(address_of(shown))
    form = DecisionForm(request.POST)
    try:
        if not form.is_valid():
            raise RefusedError("Choose Approve or Reject. A comment can have up to 1,000 characters.")
        form_data = form.cleaned_data
        if form_data["decision"] == "approve":
            services.approve(
                shown, actor=request.viewer, seen_digest=form_data["seen"], comment=form_data["comment"]
            )
        else:
            services.reject(shown, actor=request.viewer, comment=form_data["comment"])
    except RefusedError as refused:
        return _not_decided(request, pk, refused)
    return redirect(address_of(shown))


def _not_decided(request: ViewerRequest, pk: UUID, refused: RefusedError) -> HttpResponse:
    """Show the request as it is now; a comment that can no longer go with a decision can be posted or
    copied.
    """
    comment, remark = request.POST.get("comment", "")[:MAX_COMMENT], ""
    shown = first_of(request, pk)
    standing = services.standing_of(shown, viewer=request.viewer)
    if not (standing.may_decide or standing.may_reject):
        if services.may_comment(shown, viewer=request.viewer):
            remark = comment
        else:
            keep_text(request, comment)
    wants_comment = request.POST.get("decision") == "reject" and not comment.strip()
    return refused_page(request, pk, refused, comment=comment, said=remark, wants_comment=wants_comment)


def _is_concerned(request: ViewerRequest, shown: Change) -> bool:
    """Return whether the viewer can have a say: they have the right to approve, or a stage requires them."""
    if request.viewer.may(Right.APPROVE_CHANGE, account_id=shown.account.account_id):
        return True
    standing = services.standing_of(shown, viewer=request.viewer)
    return standing.is_concerned


@require_POST
@require(Right.REQUEST_CHANGE, Right.SEE_SELF)
def withdraw(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Withdraw the viewer's own request."""
    shown = acting_on(request, pk)
    try:
        services.withdraw(shown, actor=request.viewer)
    except RefusedError as refused:
        return refused_page(request, pk, refused)
    return redirect(address_of(shown))


@require_POST
@require(Right.REQUEST_CHANGE, Right.APPROVE_CHANGE)
def look_again(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Let a worker read the status from AWS again."""
    shown = acting_on(request, pk)
    try:
        services.look_again(shown, actor=request.viewer)
    except RefusedError as refused:
        return refused_page(request, pk, refused)
    return redirect(address_of(shown))
