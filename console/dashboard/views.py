"""The start page: an overview for people who look after others, and “My access” for everyone else."""

from __future__ import annotations

from django.http import HttpResponse

from console.dashboard.limited_audit import limited_audit
from console.dashboard.my_access import my_access
from console.dashboard.overview import look_after
from console.web.access import ViewerRequest, layout_for, require
from iam.guard import Right


@require(Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF, Right.SEE_EVIDENCE)
def overview(request: ViewerRequest) -> HttpResponse:
    """Show the start page that fits the viewer."""
    if request.viewer.limits is not None and not request.viewer.may(Right.SEE_ACCOUNT):
        return limited_audit(request)
    if layout_for(request.viewer) == "member_base.html":
        return my_access(request)
    return look_after(request)
