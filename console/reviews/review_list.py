"""The list of access reviews."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from console.reviews.presenters import state_of
from console.web.access import ViewerRequest, require, require_present
from console.web.address_choices import choice
from console.web.render import render_page
from iam.audit.reviews.campaigns import may_start
from iam.audit.reviews.models import ReviewCampaign
from iam.audit.reviews.queries import (
    LIST_SIZE,
    MAX_WAITING,
    ReviewProgress,
    progress_for,
    visible_campaigns,
    waiting_for,
)
from iam.audit.reviews.terms import ReviewTerms
from iam.guard import Right, Viewer

SEES: Final = (Right.SEE_ACCOUNT, Right.SEE_TEAM)
ENDED_TAB: Final = "ended"
TABS: Final = (("", "Open"), (ENDED_TAB, "Ended"))


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A row of the list."""

    campaign: ReviewCampaign
    state: str
    tone: str
    progress: ReviewProgress


@require(*SEES)
@require_safe
def reviews_page(request: ViewerRequest) -> HttpResponse:
    """List the reviews that the viewer can see, newest first."""
    require_present(request)
    viewer, tab = request.viewer, choice(request, "tab", dict(TABS))
    campaigns = visible_campaigns(viewer, is_ended=tab == ENDED_TAB)
    progress = progress_for(viewer, campaigns)
    context: dict[str, Any] = {
        "rows": [CampaignRow(campaign, *state_of(campaign), progress[campaign.pk]) for campaign in campaigns],
        "is_cut": len(campaigns) >= LIST_SIZE,
        "tab": tab,
        "tabs": TABS,
        "waiting": waiting_for(viewer),
        "max_waiting": MAX_WAITING,
        "may_start": can_start(viewer),
        "section": "reviews",
    }
    return render_page(request, "reviews/list.html", context)


def can_start(viewer: Viewer) -> bool:
    """Return whether the viewer can start a review of any account."""
    if may_start(viewer, ReviewTerms()):
        return True
    numbers = viewer.scope.accounts or ()
    return any(may_start(viewer, ReviewTerms(accounts=(number,))) for number in numbers)
