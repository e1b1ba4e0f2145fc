"""Decisions about rows of a review: one by its form, or many selected ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from console.reviews.campaign import campaign_or_404, campaign_shown, next_step, rows_shown
from console.reviews.row_page import row_or_404, row_shown
from console.web.access import ViewerRequest, require
from console.web.audit_decisions import reason_in
from console.web.kept_text import keep_text
from console.web.render import is_fragment
from iam.audit.reviews.decisions import MAX_AT_ONCE, DecisionResult, decide
from iam.audit.reviews.models import ReviewCampaign, ReviewItem
from iam.audit.reviews.queries import visible_rows
from iam.changes.errors import RefusedError
from iam.guard import Right
from iam.people.runs.models import RunState

MAX_LISTED = 5
TOASTS = {"keep": "Kept", "revoke": "Will be revoked", "reduce": "Will be reduced", "": "Decision undone"}


@require(Right.REQUEST_CHANGE)
@require_POST
def decide_one(request: ViewerRequest, pk: UUID, number: int) -> HttpResponse:
    """Decide about one row; htmx gets the row back, other requests are redirected to the previous page."""
    campaign = campaign_or_404(request, pk)
    row = row_or_404(request, campaign, number)
    text = request.POST.get("version", "")
    version = int(text) if text.isdecimal() and len(text) < 10 else -1
    decision, reason = request.POST.get("decision", "?"), reason_in(request)
    try:
        result = decide(
            campaign,
            {row.pk: version},
            decision,
            reason=reason,
            actor=request.viewer,
            now=datetime.now(tz=UTC),
        )
    except RefusedError as refused:
        return _answer(request, campaign, row, error=refused.message, reason=reason)
    if result.refused:
        return _answer(request, campaign, row, error=result.refused[0], reason=reason)
    if result.conflicts:
        row.refresh_from_db()
        return _answer(request, campaign, row, conflict=result.conflicts[0].words, reason=reason)
    row.refresh_from_db()
    return _answer(request, campaign, row, done=decision)


def _answer(
    request: ViewerRequest,
    campaign: ReviewCampaign,
    row: ReviewItem,
    *,
    error: str = "",
    conflict: str = "",
    reason: str = "",
    done: str | None = None,
) -> HttpResponse:
    """Render the row in its current state, with the error."""
    status = 422 if error else 200
    if not is_fragment(request) or request.POST.get("from") == "row":
        if done is not None:
            messages.success(request, f"{TOASTS[done]}: {row.title}.")
            return redirect("reviews:row", campaign.pk, row.pk)
        return row_shown(request, campaign, row, error=error, conflict=conflict, reason=reason)
    (shown,) = rows_shown(request.viewer, campaign, [row], error=error, conflict=conflict, reason=reason)
    campaign.refresh_from_db(fields=["decided", "state"])
    context = {"campaign": campaign, "shown": shown, "is_update": True, "may_review": True}
    context |= {"is_running": campaign.state == RunState.RUNNING, **next_step(request.viewer, campaign)}
    response = render(request, "reviews/_row.html", context, status=status)
    if done is not None or conflict:
        tone = "bad" if conflict else "ok"
        text = conflict or f"{TOASTS[done or '']}: {row.title}"
        response["HX-Trigger"] = json.dumps({"toast": {"tone": tone, "text": text}})
    return response


@require(Right.REQUEST_CHANGE)
@require_POST
def decide_many(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Decide about the selected rows, each in the version that was shown."""
    campaign = campaign_or_404(request, pk)
    versions = _versions(request.POST.getlist("row"))
    seen = visible_rows(request.viewer, campaign).filter(pk__in=list(versions)[: MAX_AT_ONCE + 1])
    known = set(seen.values_list("pk", flat=True))
    chosen = {number: version for number, version in versions.items() if number in known}
    decision, reason = request.POST.get("decision", "?"), reason_in(request)
    try:
        result = decide(
            campaign, chosen, decision, reason=reason, actor=request.viewer, now=datetime.now(tz=UTC)
        )
    except RefusedError as refused:
        campaign.refresh_from_db()
        errors = {"bulk": refused.message}
        return campaign_shown(request, campaign, errors=errors, reason=reason, chosen=set(chosen))
    _say(request, result, decision)
    if result.conflicts or result.refused:
        keep_text(request, reason)
    address = redirect("reviews:campaign", campaign.pk)
    query = request.GET.urlencode()
    if query:
        address["Location"] += f"?{query}"
    return address


def _versions(values: list[str]) -> dict[int, int]:
    """Parse the rows and versions of checkboxes; invalid ones are ignored."""
    versions: dict[int, int] = {}
    for value in values[: MAX_AT_ONCE + 1]:
        number, _, version = value.partition(":")
        if number.isdecimal() and version.isdecimal() and len(number) < 16 and len(version) < 10:
            versions[int(number)] = int(version)
    return versions


def _say(request: ViewerRequest, result: DecisionResult, decision: str) -> None:
    """Show the result in messages."""
    if result.decided:
        count = len(result.decided)
        items = "1 access item" if count == 1 else f"{count:,} access items"
        messages.success(request, f"{TOASTS[decision]}: {items}.")
    problems = [*(conflict.words for conflict in result.conflicts), *result.refused]
    for problem in problems[:MAX_LISTED]:
        messages.error(request, problem)
    if len(problems) > MAX_LISTED:
        messages.error(request, f"And {len(problems) - MAX_LISTED:,} more were left as they are.")
