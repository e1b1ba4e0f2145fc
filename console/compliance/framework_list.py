"""The list of frameworks, with the number of requirements in each state."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from console.compliance.presenters import end_of_audit, framework_url, scope_in
from console.web.access import ViewerRequest, require_evidence, require_present, stay_within
from console.web.render import render_page
from iam.audit.frameworks.decisions import may_decide_in
from iam.audit.frameworks.definitions import ControlFramework, all_frameworks
from iam.audit.frameworks.queries import results_at, results_now, visible_scopes
from iam.audit.frameworks.terms import RequirementState
from iam.guard import Right


def frameworks_of(request: ViewerRequest) -> list[ControlFramework]:
    """Return the frameworks that the viewer sees. Raises Http404 for an auditor who was given only packs."""
    limits = request.viewer.limits
    every = list(all_frameworks().values())
    if limits is None or request.signed_in.may(Right.SEE_ACCOUNT):
        return every
    stay_within(request, is_covered=limits.sees_frameworks)
    return [framework for framework in every if limits.sees_framework(framework.name)]


@require_evidence
@require_safe
def frameworks_page(request: ViewerRequest) -> HttpResponse:
    """List all frameworks in a scope."""
    require_present(request)
    viewer, scope = request.viewer, scope_in(request)
    scopes = visible_scopes(viewer)
    at = end_of_audit(request)
    rows: list[dict[str, Any]] = []
    for framework in frameworks_of(request):
        shown = results_now(viewer, framework, scope)
        if at is not None:
            shown = results_at(viewer, framework, scope, at=at)
        rows.append(
            {
                "framework": framework,
                "url": framework_url(framework, scope, at=at),
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
