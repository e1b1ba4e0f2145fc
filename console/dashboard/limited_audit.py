"""The start page of an auditor whose access is limited to frameworks, packs or a period."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from django.http import HttpResponse

from console.compliance.presenters import framework_url
from console.web.access import ViewerRequest, require_present
from console.web.render import render_page
from iam.audit.evidence.packs import may_request, visible_packs
from iam.audit.frameworks.definitions import all_frameworks
from iam.guard import Right, evidence_viewer

PACKS: Final = 10


def limited_audit(request: ViewerRequest) -> HttpResponse:
    """Show what the auditor was given."""
    require_present(request)
    viewer = evidence_viewer(request.viewer)
    limits = viewer.limits
    assert limits is not None
    at = limits.last_moment(now=datetime.now(tz=UTC))
    frameworks = [
        (framework, framework_url(framework, None, at=at))
        for framework in all_frameworks().values()
        if limits.sees_framework(framework.name)
    ]
    context: dict[str, Any] = {
        "section": "overview",
        "frameworks": frameworks,
        "packs": list(visible_packs(viewer)[:PACKS]),
        "may_build": may_request(viewer),
        "sees_journal": request.viewer.may(Right.SEE_JOURNAL),
    }
    return render_page(request, "dashboard/limited_audit.html", context)
