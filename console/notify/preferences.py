"""The viewer's notification preferences: by email, and by name in the Slack channel."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from console.web.access import ViewerRequest
from console.web.render import render_page
from iam.notify.models import MessageChannel
from iam.notify.queries import choices_of, slack_member_of
from iam.notify.services import NotifyError, save_preferences


@require_http_methods(["GET", "POST"])
def preferences(request: ViewerRequest) -> HttpResponse:
    """Show and save the viewer's table of events and channels."""
    me, wrong = request.viewer.person_id, ""
    member = slack_member_of(me)
    if request.method == "POST":
        member = request.POST.get("slack_member", member)[:32]
        try:
            save_preferences(
                me,
                wanted={
                    channel: request.POST.getlist(channel)
                    for channel in (MessageChannel.EMAIL, MessageChannel.SLACK)
                },
                slack_member=member,
                actor=request.viewer,
            )
        except NotifyError as error:
            wrong = str(error)
        else:
            messages.success(request, "Saved.")
            return redirect("notify:preferences")
    context = {
        "choices": _shown(request),
        "member": member,
        "wrong": wrong,
        "has_slack": bool(settings.SLACK_WEBHOOK),
        "has_mail": settings.MAIL_IS_CONFIGURED,
        "email": request.viewer.email,
        "section": "profile",
    }
    status = 422 if wrong else 200
    return render_page(request, "notify/preferences.html", context, status=status)


def _shown(request: ViewerRequest) -> list[tuple[str, str, bool, bool, bool]]:
    """Return (event, label, by email, in Slack, is email fixed), with posted values after an error."""
    posted = request.POST if request.method == "POST" else None
    return [
        (
            choice.spec.event,
            choice.spec.label,
            choice.spec.is_fixed
            or (choice.spec.event in posted.getlist("email") if posted else choice.email),
            choice.spec.event in posted.getlist("slack") if posted else choice.slack,
            choice.spec.is_fixed,
        )
        for choice in choices_of(request.viewer.person_id)
    ]
