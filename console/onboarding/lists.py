"""Lists of the runs and blueprints that the viewer can see."""

from __future__ import annotations

from typing import Final

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from console.runs.marks import mark_of
from console.web.access import ViewerRequest, require
from console.web.address_choices import is_ticked
from console.web.page_cursors import page_number
from console.web.render import render_page
from iam.guard import Right
from iam.people.blueprints.queries import current_versions, may_run, parts_in_words, writable_teams
from iam.people.onboarding.queries import counted_runs
from iam.people.onboarding.services import title_for

SEES: Final = (Right.SEE_ACCOUNT, Right.SEE_TEAM)
PAGE: Final = 50


@require_safe
@require(*SEES)
def runs_page(request: ViewerRequest) -> HttpResponse:
    """List the runs, newest first."""
    page = page_number(request)
    runs = counted_runs(request.viewer, start=(page - 1) * PAGE, limit=PAGE + 1)
    versions = current_versions(request.viewer)
    context = {
        "section": "onboarding",
        "runs": [(run, title_for(run, count), *mark_of(run)) for run, count in runs[:PAGE]],
        "page": page,
        "has_more": len(runs) > PAGE,
        "begins": [version for version in versions if may_run(request.viewer, version.blueprint.team)],
        "may_write": bool(writable_teams(request.viewer)),
    }
    return render_page(request, "onboarding/runs.html", context)


@require_safe
@require(*SEES)
def blueprints_page(request: ViewerRequest) -> HttpResponse:
    """List the blueprints by team."""
    is_retired = is_ticked(request, "retired")
    versions = current_versions(request.viewer, retired=is_retired)
    context = {
        "section": "onboarding",
        "rows": [
            (
                version,
                dict(parts_in_words(version.body)),
                may_run(request.viewer, version.blueprint.team) and not is_retired,
            )
            for version in versions
        ],
        "is_retired": is_retired,
        "may_write": bool(writable_teams(request.viewer)),
    }
    return render_page(request, "onboarding/blueprints.html", context)
