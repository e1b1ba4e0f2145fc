"""The page of one row of a review: everything known about the access, and the decision."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.reviews.campaign import campaign_or_404, rows_shown
from console.reviews.review_list import SEES
from console.web.access import ViewerRequest, found_or_404, require
from console.web.render import render_page
from iam.audit.reviews.models import ReviewCampaign, ReviewItem
from iam.audit.reviews.queries import visible_rows
from iam.audit.reviews.replays import replay_rows
from iam.audit.reviews.trials import why_not_give_back
from iam.changes.acts.options import laid_out
from iam.mirror.models import Kind
from iam.people.runs.models import RunState

ALL_LINES = 8


def row_or_404(request: ViewerRequest, campaign: ReviewCampaign, number: int) -> ReviewItem:
    """Return a row of the review. Raises Http404 if the viewer can’t see it."""
    rows = visible_rows(request.viewer, campaign).filter(pk=number)
    return found_or_404(rows.select_related("access", "account", "entity__account", "trial").first())


@require(*SEES)
@require_safe
def row_page(request: ViewerRequest, pk: UUID, number: int) -> HttpResponse:
    """Show a row."""
    campaign = campaign_or_404(request, pk)
    row = row_or_404(request, campaign, number)
    if not row.replay and campaign.state == RunState.RUNNING:
        replay_rows([row])
    return row_shown(request, campaign, row)


def row_shown(
    request: ViewerRequest, campaign: ReviewCampaign, row: ReviewItem, **parts: Any
) -> HttpResponse:
    """Render the page of a row."""
    viewer = request.viewer
    row.campaign = campaign
    (shown,) = rows_shown(viewer, campaign, [row], lines=ALL_LINES, **parts)
    links = row.changes.select_related("change", "change__change_set").order_by("pk")
    page = "identities:role" if row.entity.kind == Kind.ROLE else "identities:person"
    context: dict[str, Any] = {
        "campaign": campaign,
        "shown": shown,
        "row": row,
        "texts": [laid_out(text) for text in row.access.texts] if viewer.sees_accounts else [],
        "changes": list(links),
        "trial": shown.trial,
        "may_give_back": shown.trial is not None and not why_not_give_back(viewer, row),
        "entity_url": reverse(page, args=[row.entity_id]),
        "section": "reviews",
    }
    status = 422 if shown.error else 200
    return render_page(request, "reviews/row.html", context, status=status)
