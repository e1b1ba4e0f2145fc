"""The page to resync the viewer's own MFA device."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from console.mfa.enrollment import refused_context
from console.operators.recency import recently_authenticated
from console.web.access import ViewerRequest, layout_for, require
from console.web.render import render_page
from iam.changes.errors import RefusedError
from iam.directory.models import Person
from iam.guard import Right
from iam.people.enrolment.resync import own_totp_device, resync


@require_http_methods(["GET", "POST"])
@require(Right.SEE_SELF)
@recently_authenticated
def resync_own_device(request: ViewerRequest, pk: int) -> HttpResponse:
    """Enter two codes, and create the change for them."""
    device = own_totp_device(pk, arns=request.viewer.scope.user_arns)
    if device is None or request.at is not None:
        raise Http404
    context = {
        "device": device,
        "user": device.owner,
        "account": device.account,
        "layout": layout_for(request.viewer),
        "section": "overview",
        "key": str(uuid.uuid4()),
        "address": request.path,
        "focus": {"first": True},
    }
    if request.method == "GET":
        return render_page(request, "mfa/resync.html", context)
    try:
        change = resync(
            device,
            person=Person.objects.get(pk=request.viewer.person_id),
            first=request.POST.get("first", "")[:12],
            second=request.POST.get("second", "")[:12],
            key=request.POST.get("key", "")[:64],
        )
    except RefusedError as refused:
        return render_page(request, "mfa/resync.html", context | refused_context(refused), status=422)
    return redirect("changes:change", pk=change.pk)
