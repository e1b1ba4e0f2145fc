"""The list of frameworks with how many requirements are in each state."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from console.compliance.presenters import framework_url, scope_in
from console.web.access import ViewerRequest, require, require_present
from console.web.render import render_page
from iam.audit.frameworks.decisions import may_decide_in
from iam.audit.frameworks.definitions import all_frameworks
from iam.audit.frameworks.queries import results_now, visible_scopes
from iam.audit.frameworks.terms import RequirementState
from iam.guard import Right


@require(Right.SEE_ACCOUNT)
@require_safe
def frameworks_page(request: ViewerRequest) -> HttpResponse:
    """Every framework in a scope."""
    require_present(request)
    viewer, scope = request.viewer, scope_in(request)
    scopes = visible_scopes(viewer)
    rows: list[dict[str, Any]] = []
    for framework in all_frameworks().values():
        shown = results_now(viewer, framework, scope)
        rows.append(
            {
                "framework": framework,
                "url": framework_url(framework, scope),
                "counts": {state.name.lower(): shown.counts[state.value] for state in RequirementState},
                "updated_at": shown.updated_at,
                "is_judged": shown.results is not None,
            }
        )
    context = {
        "rows": rows,
        "scopes": [(each.slug, each.name) for each in scopes],
        "scope": scope,
        "may_change_scopes": may_decide_in(viewer, None),
        "section": "compliance",
    }
    return render_page(request, "compliance/frameworks.html", context)
