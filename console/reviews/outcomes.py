"""Actions on a whole review: request changes, reassign, sign off, acknowledge, cancel; and restoring access
that is on trial removal.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from console.reviews.campaign import campaign_or_404, campaign_shown, wanted_in
from console.reviews.row_page import row_or_404
from console.web.access import ViewerRequest, require
from iam.audit.reviews.campaigns import assign, cancel
from iam.audit.reviews.queries import filtered, find_campaign, visible_rows
from iam.audit.reviews.removals import request_changes_of
from iam.audit.reviews.sign_off import acknowledge, sign
from iam.audit.reviews.trials import give_back
from iam.changes.errors import RefusedError
from iam.directory.approval_words import someone_else
from iam.guard import Right


def _text(request: ViewerRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\x00", "").strip()


@require(Right.REQUEST_CHANGE)
@require_POST
def request_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Request the changes that the viewer decided."""
    campaign = campaign_or_404(request, pk)
    try:
        done = request_changes_of(campaign, actor=request.viewer)
    except RefusedError as refused:
        campaign.refresh_from_db()
        return campaign_shown(request, campaign, errors={"request": refused.message})
    if done.rows:
        sets = len({change.change_set_id for change in done.changes})
        requests = "1 request" if sets == 1 else f"{sets:,} requests"
        decisions = "1 decision" if done.rows == 1 else f"{done.rows:,} decisions"
        messages.success(request, f"{requests} for {decisions}. {someone_else()} has to approve.")
    if done.refused:
        messages.error(request, f"{done.refused:,} could not be requested. Each row says why.")
    return redirect("reviews:campaign", pk)


@require(Right.REQUEST_CHANGE)
@require_POST
def assign_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Assign the undecided rows that match the filters to another reviewer."""
    campaign = campaign_or_404(request, pk)
    rows = filtered(visible_rows(request.viewer, campaign), request.viewer, wanted_in(request, campaign))
    reason = _text(request, "reason")
    try:
        assigned, left = assign(
            campaign, rows, to=_uuid(_text(request, "to")), actor=request.viewer, reason=reason
        )
    except RefusedError as refused:
        campaign.refresh_from_db()
        return campaign_shown(request, campaign, errors={"assign": refused.message}, reason=reason)
    messages.success(request, f"Assigned {assigned:,}.")
    if left:
        messages.error(
            request, f"{left:,} stay as they are: no one reviews their own access, or chooses who does."
        )
    if find_campaign(request.viewer, pk) is None:
        return redirect("reviews:list")
    return redirect("reviews:campaign", pk)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise RefusedError("Choose a person.") from None


@require(Right.REQUEST_CHANGE)
@require_POST
def sign_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Sign off a review."""
    campaign = campaign_or_404(request, pk)
    note = _text(request, "note")
    try:
        sign(campaign, note=note, actor=request.viewer, now=datetime.now(tz=UTC))
    except RefusedError as refused:
        campaign.refresh_from_db()
        return campaign_shown(request, campaign, errors={"sign": refused.message}, reason=note)
    messages.success(request, "Signed off. Someone who reviewed nothing in it has to acknowledge it.")
    return redirect("reviews:campaign", pk)


@require(Right.APPROVE_CHANGE, Right.MANAGE_OPERATORS)
@require_POST
def acknowledge_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Acknowledge a review for the management, or send it back."""
    campaign = campaign_or_404(request, pk)
    is_accepted, note = request.POST.get("decision") == "acknowledge", _text(request, "note")
    try:
        acknowledge(
            campaign, is_accepted=is_accepted, note=note, actor=request.viewer, now=datetime.now(tz=UTC)
        )
    except RefusedError as refused:
        campaign.refresh_from_db()
        return campaign_shown(request, campaign, errors={"acknowledge": refused.message}, reason=note)
    words = "Acknowledged. This review never changes again." if is_accepted else "Sent back to its reviewers."
    messages.success(request, words)
    return redirect("reviews:campaign", pk)


@require(Right.REQUEST_CHANGE)
@require_POST
def cancel_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Cancel a review without a result."""
    campaign = campaign_or_404(request, pk)
    reason = _text(request, "reason")
    try:
        cancel(campaign, reason=reason, actor=request.viewer)
    except RefusedError as refused:
        campaign.refresh_from_db()
        return campaign_shown(request, campaign, errors={"cancel": refused.message}, reason=reason)
    messages.success(request, "Cancelled.")
    return redirect("reviews:campaign", pk)


@require(Right.REQUEST_CHANGE)
@require_POST
def give_back_page(request: ViewerRequest, pk: UUID, number: int) -> HttpResponse:
    """Restore access that is on trial removal, with one click."""
    campaign = campaign_or_404(request, pk)
    row = row_or_404(request, campaign, number)
    row.campaign = campaign
    try:
        give_back(row, actor=request.viewer)
    except RefusedError as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, f"{row.who} gets {row.target_name} back.")
    return redirect("reviews:row", pk, number)
