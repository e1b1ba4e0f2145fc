"""The list of offboardings that the viewer can see."""

from __future__ import annotations

from typing import Final

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from console.offboarding.presenters import mark_of
from console.web.access import ViewerRequest, require
from console.web.address_choices import choice
from console.web.page_cursors import page_number
from console.web.query import QueryPairs
from console.web.render import render_page
from iam.guard import Right
from iam.people.offboarding.models import MOVING, SUSPENSION, OffboardingStage
from iam.people.offboarding.queries import counts_by_stage, drafts_of, listed
from iam.people.offboarding.rules import may_begin

SEES: Final = (Right.SEE_ACCOUNT, Right.SEE_TEAM)
PAGE: Final = 50
TABS: Final[tuple[tuple[str, str, tuple[OffboardingStage, ...]], ...]] = (
    ("", "All", ()),
    ("moving", "In progress", MOVING),
    ("suspended", "Suspended", SUSPENSION),
    ("gone", "Access removed", (OffboardingStage.GONE,)),
    ("returned", "Restored", (OffboardingStage.RETURNED, OffboardingStage.PARTLY)),
    ("deleted", "Deleted", (OffboardingStage.DELETED,)),
    ("called-off", "Cancelled", (OffboardingStage.CALLED_OFF,)),
)
"""Tabs: (name in the address, label, stages)."""


@require_safe
@require(*SEES)
def leavers_page(request: ViewerRequest) -> HttpResponse:
    """List the offboardings, newest first."""
    stages_by_tab = {name: stages for name, _, stages in TABS}
    show = choice(request, "show", stages_by_tab)
    stages = stages_by_tab.get(show, ())
    text = request.GET.get("q", "").strip()[:128]
    page = page_number(request)
    leavers = listed(request.viewer, stages=stages, text=text, start=(page - 1) * PAGE, limit=PAGE + 1)
    counts = counts_by_stage(request.viewer)
    query = QueryPairs.from_pairs([("show", show), ("q", text)])
    context = {
        "section": "leaving",
        "rows": [(leaver, *mark_of(leaver)) for leaver in leavers[:PAGE]],
        "tabs": [
            (
                str(query.with_values(show=name)),
                words,
                sum(counts.get(stage, 0) for stage in stages) if stages else sum(counts.values()),
                name == show,
            )
            for name, words, stages in TABS
        ],
        "text": text,
        "show": show,
        "newer": str(query.with_values(page=str(page - 1))) if page > 1 else "",
        "older": str(query.with_values(page=str(page + 1))) if len(leavers) > PAGE else "",
        "drafts": drafts_of(request.viewer),
        "may_begin": may_begin(request.viewer) and request.at is None,
    }
    return render_page(request, "offboarding/leavers.html", context, partial="rows")
