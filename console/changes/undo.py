"""Undoes one change, or all or a part of a set that was approved together."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from console.changes.forms import ReasonForm
from console.changes.page import acting_on, address_of, policy_context
from console.changes.presenters import MARKS
from console.changes.receipt import plans_receipt_context
from console.web.access import ViewerRequest, require
from console.web.address_choices import leave_out
from console.web.kept_text import keep_text
from console.web.render import render_page
from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.queries import visible_changes
from iam.changes.titles import references_of, title_of, undo_title_of
from iam.directory.approval_words import someone_else
from iam.guard import Right


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def undo(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the effect of an undo; a POST requests it as a new change."""
    shown = acting_on(request, pk)
    form = ReasonForm(request.POST) if request.method == "POST" else ReasonForm.blank()
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            made = services.undo(shown, actor=request.viewer, **_given(form))
        except RefusedError as error:
            refused = error
        else:
            messages.success(request, f"Undo of {shown.reference} requested. {someone_else()} approves it.")
            return redirect(address_of(made))
    context: dict[str, Any] = {
        "change": shown,
        "title": undo_title_of(shown),
        "account": shown.account,
        "form": form,
        "section": "changes",
    }
    try:
        plan = services.plan_undo(shown, viewer=request.viewer)
    except RefusedError as error:
        refused = refused or error
        keep_text(request, request.POST.get("reason", ""))
    else:
        context |= plans_receipt_context(request, [plan]) | policy_context(plan.operation, before=plan.before)
    status = 422 if request.method == "POST" else 200
    return render_page(request, "changes/undo.html", context | {"refused": refused}, status=status)


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def undo_set(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Undo the selected changes of a set as one set, the last first; by default all that can be undone.

    The page explains why the others can’t be undone.
    """
    shown = acting_on(request, pk)
    parts = list(
        visible_changes(request.viewer)
        .filter(change_set=shown.change_set)
        .select_related("account", "entity")
        .prefetch_related("change_set")
        .order_by("position")
    )
    if len(parts) != shown.change_set.changes.count():
        # Viewers who see only a part of a set undo its changes one by one.
        raise Http404
    data = request.POST if request.method == "POST" else request.GET
    wanted = set(data.getlist("part"))
    for part_id in sorted(set(request.GET.getlist("part")) - {str(part.pk) for part in parts}):
        leave_out(request, "part", value=part_id)
    why_not = services.why_not_undo_each(parts, viewer=request.viewer)
    can = [part for part in parts if not why_not[part.pk]]
    ticked = [part for part in parts if str(part.pk) in wanted] if wanted else can
    form = ReasonForm(request.POST) if request.method == "POST" else ReasonForm.blank()
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            made = services.undo_several(ticked, actor=request.viewer, **_given(form))
        except RefusedError as error:
            refused = error
        else:
            messages.success(request, f"Undo requested. {someone_else()} approves it.")
            return redirect(address_of(made[0]))
    chosen = [part for part in ticked if part in can]
    context: dict[str, Any] = {
        "change": shown,
        "reference": references_of([shown])[shown.change_set_id],
        "title": title_of(shown),
        "account": shown.account,
        "form": form,
        "section": "changes",
        "parts": [(part, MARKS[part.state], part in can, part in chosen, why_not[part.pk]) for part in parts],
        "chosen": chosen,
        "lost": len(parts) - len(can) if can else 0,
    }
    try:
        plans = services.plan_undo_of(chosen, viewer=request.viewer)
    except RefusedError as error:
        refused = refused or error
    else:
        context |= plans_receipt_context(request, plans) if plans else {}
    if "receipt" not in context:
        keep_text(request, request.POST.get("reason", ""))
    status = 422 if request.method == "POST" else 200
    return render_page(request, "changes/undo_set.html", context | {"refused": refused}, status=status)


def _given(form: ReasonForm) -> dict[str, str]:
    form_data = form.cleaned_data
    return {"reason": form_data["reason"], "idempotency_key": str(form_data["key"])}
