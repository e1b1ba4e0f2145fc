"""Actions on a rotation: check AWS, deactivate, activate, delete, create another key, resend the link,
cancel.
"""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from console.operators.recency import recently_authenticated
from console.rotation.begin import SEES
from console.rotation.detail import refused_page, rotation_or_404
from console.web.access import ViewerRequest, require
from iam.changes.errors import FieldError, RefusedError
from iam.people.rotation import services
from iam.people.rotation.models import Rotation, RotationStep
from iam.people.rotation.rotation_plan import may_run


@require_POST
@require(*SEES)
@recently_authenticated
def act(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Run the action of the pressed button."""
    rotation = rotation_or_404(request, pk)
    if not may_run(request.viewer, rotation):
        raise Http404
    try:
        messages.success(request, _do(request, rotation))
    except FieldError as refused:
        return refused_page(request, rotation, refused)
    except RefusedError as refused:
        messages.error(request, refused.message)
    return redirect("keys:rotation", pk=pk)


def _do(request: ViewerRequest, rotation: Rotation) -> str:
    do, viewer = request.POST.get("do", ""), request.viewer
    in_spite = request.POST.get("in_spite") == "yes"
    if do in RotationStep.values:
        if do == RotationStep.DELETE and request.POST.get("typed", "").strip() != rotation.old.aws_id[-4:]:
            raise FieldError(
                f"Type the last four characters of {rotation.old.aws_id}: {rotation.old.aws_id[-4:]}.",
                field="typed",
            )
        services.request_check(viewer, rotation, RotationStep(do), in_spite=in_spite)
        return "Checking the latest use of both keys in AWS."
    if do == "activate":
        services.activate(viewer, rotation)
        return "The old key is being reactivated."
    if do == "issue":
        services.issue_again(viewer, rotation)
        return "The new key is deleted, and another one is created."
    if do == "send":
        link = services.send_again(viewer, rotation)
        return f"A link is on its way to {link.person.email}."
    if do == "take_over":
        services.take_over(viewer, rotation)
        return "You take this over. The new key is deleted, and another one is created for you."
    if do == "cancel":
        return services.cancel(viewer, rotation, with_new=request.POST.get("with_new") == "yes")
    raise Http404
