"""Drift: differences in AWS that no change of Gatehouse explains; accept them with a reason, or request an
undo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from console.activity.calls_behind import UNKNOWN_CALLS, CallsBehind, LineDifferences, calls_behind_each
from console.changes.drift_rows import DriftCard, DriftLine, documents_of, rows_of
from console.changes.forms import ReasonForm
from console.changes.receipt import impact_context, plans_receipt_context
from console.web.access import ViewerRequest, layout_for, require, require_present
from console.web.address_choices import choice
from console.web.kept_text import keep_text
from console.web.render import render_page
from console.web.text import reads_as_stored
from iam.activity.queries import extent
from iam.changes.drift import services
from iam.changes.drift.mirror_history import KINDS
from iam.changes.drift.models import Drift, DriftState
from iam.changes.drift.queries import (
    TABS,
    DriftPosition,
    drift_page,
    open_drifts,
    visible_drifts,
    what_happened,
)
from iam.changes.drift.settings import ACCOUNT
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.queries import visible_changes
from iam.directory.approval_words import someone_else
from iam.guard import Right, Viewer
from iam.mirror.queries.accounts import visible_accounts

SEES = (Right.SEE_ACCOUNT, Right.SEE_TEAM)
LABELS = (
    ("", "Needs a decision"),
    ("undoing", "Undo requested"),
    ("adopted", "Accepted"),
    ("undone", "Undone"),
    ("explained", "Made by a change"),
)
MAX_BADGE = 99
MOST_CALLS = 20
"""Calls that the page of one drift names."""


@require_GET
@require(*SEES)
def listing(request: ViewerRequest) -> HttpResponse:
    """List drift that needs a decision or had one, the riskiest first."""
    return _list(request)


def _watched(viewer: Viewer) -> dict[str, Any]:
    """Return whether any visible account is watched for drift, and how many aren’t yet."""
    counts = visible_accounts(viewer).aggregate(
        accounts=Count("pk"), unwatched=Count("pk", filter=Q(drift_watch__isnull=True))
    )
    return {"is_watched": counts["accounts"] > counts["unwatched"], "unwatched": counts["unwatched"]}


def _list(request: ViewerRequest, *, refused: RefusedError | None = None, reason: str = "") -> HttpResponse:
    get, viewer = request.GET, request.viewer
    tab = choice(request, "tab", TABS)
    kind = choice(request, "kind", (*KINDS, ACCOUNT))
    number = get.get("account", "")
    page = drift_page(
        viewer, tab=tab, account_id=number, kind=kind, after=DriftPosition.parse(get.get("after", ""))
    )
    rows = _with_calls(rows_of(page.rows, viewer=viewer), viewer=viewer)
    count = open_drifts(viewer).order_by()[: MAX_BADGE + 1].count()
    context = {
        "rows": rows,
        "following": page.following,
        "is_first": "after" not in get,
        "tab": tab,
        "tabs": LABELS,
        "kind": kind,
        "kinds": [*((kind.value, kind.label) for kind in KINDS), (ACCOUNT, "Account settings")]
        if viewer.sees_accounts
        else [],
        "count": f"{MAX_BADGE}+" if count > MAX_BADGE else str(count or ""),
        "adopts": request.at is None and not tab and _adopts_any(request, _numbers_of(page.rows)),
        "may_decide": viewer.may(Right.REQUEST_CHANGE),
        "refused": refused,
        "reason": reason,
        "chosen": set(request.POST.getlist("drift")),
        "sees_accounts": viewer.sees_accounts,
        **({} if rows else _watched(viewer)),
        "section": "drift",
    }
    if refused is not None and not (rows and context["adopts"]):
        keep_text(request, reason)
    status = 422 if refused else 200
    return render_page(request, "changes/drift.html", context, partial="drifts", status=status)


def _with_calls(rows: Sequence[DriftCard], *, viewer: Viewer) -> list[DriftCard]:
    """Add the recorded calls that caused the differences, if CloudTrail has them."""
    numbers: list[UUID] = []
    lines: list[LineDifferences] = []
    for row in rows:
        if row.drift.entity is not None:
            numbers.append(row.drift.pk)
            events = [line.event for line in row.lines]
            lines.append(LineDifferences.of(row.drift.account.account_id, row.drift.entity, events))
    calls = dict(zip(numbers, calls_behind_each(lines, viewer=viewer), strict=True))
    return [replace(row, calls=calls.get(row.drift.pk, UNKNOWN_CALLS)) for row in rows]


def _numbers_of(rows: Sequence[tuple[Drift, object]]) -> set[str]:
    """Return the account IDs of the drifts."""
    return {drift.account.account_id for drift, _ in rows}


def _adopts_any(request: ViewerRequest, numbers: set[str]) -> bool:
    return any(services.may_adopt(request.viewer, account_id=number) for number in numbers)


@require_POST
@require(*SEES)
def adopt(request: ViewerRequest) -> HttpResponse:
    """Accept the selected drifts with one reason."""
    _refuse_the_past(request)
    drifts = visible_drifts(request.viewer).filter(pk__in=_ids(request.POST.getlist("drift")))
    chosen = list(drifts.select_related("account", "entity").order_by("seen_at")[: services.MAX_DRIFTS + 1])
    reason = request.POST.get("reason", "")[:2000]
    try:
        number = services.adopt(chosen, actor=request.viewer, reason=_as_stored(reason))
    except RefusedError as refused:
        return _list(request, refused=refused, reason=reason)
    messages.success(request, f"Accepted {number} difference{'s' if number != 1 else ''}.")
    return redirect("changes:drift")


def _as_stored(reason: str) -> str:
    """Return the reason. Raises RefusedError if it contains invisible or reordering characters."""
    try:
        reads_as_stored(reason)
    except ValidationError as error:
        raise RefusedError(" ".join(error.messages)) from None
    return reason


def _ids(texts: Sequence[str]) -> list[UUID]:
    ids = []
    for text in texts[: services.MAX_DRIFTS + 1]:
        try:
            ids.append(UUID(text))
        except ValueError:
            raise Http404 from None
    return ids


def _refuse_the_past(request: ViewerRequest) -> None:
    """Refuse at a past moment, which can only be viewed."""
    require_present(request)


def _drift_or_404(request: ViewerRequest, pk: UUID) -> Drift:
    visible = visible_drifts(request.viewer).select_related("account", "entity", "change_set")
    return get_object_or_404(visible, pk=pk)


@require_GET
@require(*SEES)
def drift_detail(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show a drift: each difference, the documents side by side, and the possible actions."""
    drift = _drift_or_404(request, pk)
    now, viewer = request.at is None, request.viewer
    number = drift.account.account_id
    asks = now and drift.state == DriftState.OPEN and viewer.may(Right.REQUEST_CHANGE, account_id=number)
    context = _frame(request, drift) | {
        "adopts": now and drift.state == DriftState.OPEN and services.may_adopt(viewer, account_id=number),
        "asks": asks,
        "undo": _undo_words(request, drift) if asks else None,
        "change": _change_of(request, drift),
    }
    context["calls"] = _calls_of(request, drift, context["row"].lines)
    context["known"] = extent(number)
    return render_page(request, "changes/drift_one.html", context)


def _calls_of(request: ViewerRequest, drift: Drift, lines: Sequence[DriftLine]) -> CallsBehind:
    """Return the recorded calls that caused the differences, without duplicates."""
    if drift.entity is None:
        return UNKNOWN_CALLS
    events = [line.event for line in lines]
    differences = LineDifferences.of(drift.account.account_id, drift.entity, events)
    [calls] = calls_behind_each([differences], viewer=request.viewer, most=MOST_CALLS)
    return calls


def _frame(request: ViewerRequest, drift: Drift) -> dict[str, Any]:
    [row] = rows_of(what_happened([drift]), viewer=request.viewer)
    number = drift.account.account_id
    return impact_context(drift.impact or None, viewer=request.viewer, account_id=number) | {
        "drift": drift,
        "row": row,
        "documents": documents_of(row),
        "account": drift.account,
        "section": "drift",
        "layout": layout_for(request.viewer),
    }


def _change_of(request: ViewerRequest, drift: Drift) -> Change | None:
    """Return the change that undoes or explains the drift, if the viewer can see it."""
    if drift.change_set_id is None:
        return None
    return visible_changes(request.viewer).filter(change_set=drift.change_set_id).order_by("position").first()


def _undo_words(request: ViewerRequest, drift: Drift) -> dict[str, Any]:
    """Return the number of calls of an undo and what it leaves, or why an undo isn’t possible."""
    try:
        planned = services.plan_undo(drift, viewer=request.viewer)
    except RefusedError as refused:
        return {"why_not": refused.message}
    calls = sum(len(plan.receipt.body["calls"]) for plan in planned.plans)
    return {"calls": calls, "stays": planned.stays}


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def undo(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the effect of an undo; a POST requests it as a normal set of changes."""
    _refuse_the_past(request)
    drift = _drift_or_404(request, pk)
    form = ReasonForm(request.POST) if request.method == "POST" else ReasonForm.blank()
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            made = services.undo(
                drift,
                actor=request.viewer,
                reason=form.cleaned_data["reason"],
                idempotency_key=str(form.cleaned_data["key"]),
            )
        except RefusedError as error:
            refused = error
            drift.refresh_from_db()
        else:
            messages.success(
                request, f"Requested an undo of {drift.reference}. {someone_else()} must approve it."
            )
            return redirect("changes:request", pk=made[0].pk)
    context = _frame(request, drift) | {"form": form}
    try:
        planned = services.plan_undo(drift, viewer=request.viewer)
    except RefusedError as error:
        refused = refused or error
        keep_text(request, request.POST.get("reason", ""))
    else:
        context |= plans_receipt_context(request, planned.plans) | {"stays": planned.stays}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "changes/drift_undo.html", context | {"refused": refused}, status=status)
