"""The first page after the sign-in: an overview for those who look after others, and for everybody else their
own access.
"""

from __future__ import annotations

from django.http import HttpResponse

from console.dashboard.my_access import my_access
from console.dashboard.overview import look_after
from console.web.access import ViewerRequest, layout_for, require
from iam.guard import Right


@require(Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF)
def overview(request: ViewerRequest) -> HttpResponse:
    """What the viewer should know first."""
    if layout_for(request.viewer) == "member_base.html":
        return my_access(request)
    return look_after(request)
