"""One change: how it stands, live; and what one may do about it: decide, withdraw, have it looked at, undo."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.changes.access_rows import texts_of
from console.changes.act_text import lint_of, text_shown
from console.changes.deciding import deciding_context
from console.changes.findings import findings_in
from console.changes.forms import DecisionForm
from console.changes.receipt import receipt_context, without_new_names
from console.changes.seals import seal_context
from console.changes.shown import MARKS, call_rows, lines_of, pace_of, version_of
from console.changes.subject import about_of, subject_openable
from console.operators.recency import recently_authenticated
from console.web.access import ViewerRequest, layout_for, require, require_present
from console.web.render import is_fragment, render_live, render_page
from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.models import Approval, Change, ChangeEvent, ChangeState
from iam.changes.operations import Operation, restore
from iam.changes.operations.policy_version import DefaultText
from iam.changes.queries import timeline, visible_changes
from iam.changes.titles import partly_hidden
from iam.guard import Right

DECIDES = (Right.APPROVE_CHANGE, Right.REQUEST_CHANGE)
"""Approvers; and administrators and team leads, where a rule asks for them."""
SEES = (Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF)


def change_or_404(request: ViewerRequest, pk: UUID) -> Change:
    """The change, if the viewer may see it; else 404, as though there were none."""
    visible = visible_changes(request.viewer).select_related("account", "change_set", "entity", "reverts")
    return get_object_or_404(visible, pk=pk)


@never_cache
@require_GET
@require(*SEES)
def change(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """The page; asked by itself (`seen`), only its live part, 204 while nothing is new and 286 when nothing more comes."""
    shown = change_or_404(request, pk)
    events = timeline(shown)
    pace = pace_of(shown)
    version = version_of(shown, events, pace=pace)
    if is_fragment(request) and request.GET.get("seen") == version:
        return HttpResponse(status=204)
    context = page_context(request, shown, events) | {
        "version": version,
    }
    return render_live(request, "changes/change.html", context, pace=pace)


def page_context(request: ViewerRequest, shown: Change, events: list[ChangeEvent]) -> dict[str, Any]:
    """What the pages of a change, and of the set that it begins, show."""
    viewer = request.viewer
    now = request.at is None
    deciding = deciding_context(request, shown)
    decides = deciding["decides"]
    open_to = subject_openable(shown, viewer=viewer)
    parts = list(visible_changes(viewer).filter(change_set=shown.change_set).order_by("position"))
    asks = viewer.may(Right.REQUEST_CHANGE, account_id=shown.account.account_id)
    operation = restore(shown.operation, account=shown.account, params=shown.params)
    about = policy_context(operation, before=shown.before)
    is_partial = bool(partly_hidden([shown.change_set_id], viewer=viewer))
    together = shown.change_set.receipt
    return (
        receipt_context(
            shown.receipt,
            account=shown.account,
            request=request,
            together=without_new_names(together) if is_partial else together,
        )
        | about
        | deciding
        | seal_context(request, shown)
        | {
            "change": shown,
            "is_partial": is_partial,
            "set_title": "" if is_partial else shown.change_set.title,
            "mark": MARKS[shown.state],
            "account": shown.account,
            "calls": call_rows(shown.calls, partition=shown.account.partition),
            "about": about_of(shown, open_to=open_to),
            "lines": lines_of(shown, events, decides=decides),
            "approvals": list(Approval.objects.filter(change_set=shown.change_set).order_by("id")),
            "parts": [(part, MARKS[part.state]) for part in parts],
            "undoable": sum(part.state == ChangeState.APPLIED and not part.already_so for part in parts),
            "undone_by": visible_changes(viewer).filter(reverts=shown).order_by("-created_at").first(),
            "withdraws": now
            and shown.requested_by == viewer.person_id
            and shown.state in (ChangeState.AWAITING, ChangeState.QUEUED),
            "looks_again": now
            and shown.state == ChangeState.UNKNOWN
            and (asks or viewer.may(Right.APPROVE_CHANGE, account_id=shown.account.account_id)),
            "why_not_undo": services.why_not_undo(shown, viewer=viewer)
            if now and asks and shown.state == ChangeState.APPLIED
            else "",
            "undoes": now and asks and shown.state == ChangeState.APPLIED,
            "layout": layout_for(viewer),
            "section": "approvals" if decides else "changes",
        }
    )


def policy_context(operation: Operation, *, before: dict[str, Any]) -> dict[str, Any]:
    """What a policy said before and says after, and the lint of that, where a change is about it."""
    if not isinstance(operation, DefaultText):
        return text_shown(operation, before=before) | lint_of([operation])
    return {"texts": texts_of(before=before, after=operation.text)} | findings_in(operation)


def acting_on(request: ViewerRequest, pk: UUID) -> Change:
    """The change to act on; the past is only looked at."""
    require_present(request)
    return change_or_404(request, pk)


@require_http_methods(["GET", "POST"])
@require(*DECIDES)
@recently_authenticated
def decide(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Approve or reject. A GET comes from having confirmed who one is, and leads back to the form."""
    shown = acting_on(request, pk)
    if not _is_concerned(request, shown):
        raise Http404
    if request.method == "GET":
        return redirect("changes:change", pk=pk)
    form = DecisionForm(request.POST)
    try:
        if not form.is_valid():
            raise RefusedError(
                "Choose whether to approve or to reject; a comment has at most 1,000 characters."
            )
        given = form.cleaned_data
        if given["decision"] == "approve":
            services.approve(shown, actor=request.viewer, seen_digest=given["seen"], comment=given["comment"])
        else:
            services.reject(shown, actor=request.viewer, comment=given["comment"])
    except RefusedError as refused:
        comment = request.POST.get("comment", "")[:1000]
        wants_comment = request.POST.get("decision") == "reject" and not comment.strip()
        return refused_page(request, pk, refused, comment=comment, wants_comment=wants_comment)
    return redirect("changes:change", pk=pk)


def _is_concerned(request: ViewerRequest, shown: Change) -> bool:
    """Whether deciding is any business of theirs: by the right to approve, or since a stage of this set asks for them."""
    if request.viewer.may(Right.APPROVE_CHANGE, account_id=shown.account.account_id):
        return True
    standing = services.standing_of(shown, viewer=request.viewer)
    return standing.is_concerned


def refused_page(request: ViewerRequest, pk: UUID, refused: RefusedError, **typed: object) -> HttpResponse:
    """The page as it stands now, with the reason, and what was typed; `wants_comment` is a word at the field that was left empty."""
    shown = change_or_404(request, pk)
    events = timeline(shown)
    context = page_context(request, shown, events) | {"pace": "", "refused": refused} | typed
    return render_page(request, "changes/change.html", context, status=422)


@require_POST
@require(Right.REQUEST_CHANGE)
def withdraw(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Take one's own request back."""
    shown = acting_on(request, pk)
    try:
        services.withdraw(shown, actor=request.viewer)
    except RefusedError as refused:
        return refused_page(request, pk, refused)
    return redirect("changes:change", pk=pk)


@require_POST
@require(Right.REQUEST_CHANGE, Right.APPROVE_CHANGE)
def look_again(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Have a worker look at AWS anew."""
    shown = acting_on(request, pk)
    try:
        services.look_again(shown, actor=request.viewer)
    except RefusedError as refused:
        return refused_page(request, pk, refused)
    return redirect("changes:change", pk=pk)
