"""Invites everyone again who has not finished their onboarding."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from console.operators.recency import recently_authenticated
from console.web.access import ViewerRequest, require, require_present
from iam.guard import Right
from iam.people.onboarding.stuck_people import remind_all

PREVIEW_REFUSALS: int = 5


@require_POST
@require(Right.REQUEST_CHANGE)
@recently_authenticated
def remind_page(request: ViewerRequest) -> HttpResponse:
    """Send the invitations and show their number, on the overview or on the list of onboardings."""
    require_present(request)
    done = remind_all(request.viewer)
    if done.sent:
        messages.success(request, f"{_counted(done.sent, 'invitation was', 'invitations were')} sent again.")
    if done.resets:
        people = _counted(done.resets, "person gets", "people get")
        messages.success(request, f"{people} a new first password first. Their invitations follow.")
    if not (done.sent or done.resets or done.refused):
        messages.info(request, "No invitation was sent: everyone was invited less than 20 hours ago.")
    for sentence in done.refused[:PREVIEW_REFUSALS]:
        messages.error(request, sentence)
    if len(done.refused) > PREVIEW_REFUSALS:
        messages.error(request, f"{len(done.refused) - PREVIEW_REFUSALS} more people were not invited.")
    following = "dashboard:overview" if request.POST.get("next") == "overview" else "onboarding:runs"
    return redirect(following)


def _counted(number: int, noun: str, many: str) -> str:
    return f"{number} {noun if number == 1 else many}"
