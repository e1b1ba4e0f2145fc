"""The outbox: messages by recipient and channel, failures with their reasons, and a test of every channel."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST

from console.web.access import ViewerRequest, require_everywhere
from console.web.address_choices import choice
from console.web.page_cursors import place_in, word_of
from console.web.render import render_page
from iam.directory.models import Person
from iam.guard import Right
from iam.notify.events import NotifyEvent, spec_of
from iam.notify.models import MessageState, OutgoingMessage
from iam.notify.pages import MessagePage, prefix_of
from iam.notify.queries import outbox_page, unsent_counts
from iam.notify.services import NotifyError, notify, send_again

TABS = (("", "All"), ("waiting", "Waiting"), ("given_up", "Failed"), ("sent", "Sent"))
MARKS = {
    MessageState.WAITING: ("Waiting", "info", "clock"),
    MessageState.SENDING: ("Sending", "info", "loader-circle"),
    MessageState.SENT: ("Sent", "ok", "check"),
    MessageState.GIVEN_UP: ("Failed", "bad", "x"),
}
ICONS = {"email": "mail", "slack": "message-square", "webhook": "link"}


@dataclass(frozen=True, slots=True)
class DeliveryWay:
    """A channel and where it leads, or how to set it up."""

    name: str
    icon: str
    is_on: bool
    words: str


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A row of the table."""

    message: OutgoingMessage
    mark: tuple[str, str, str]
    icon: str
    about: str
    opens_once: bool
    """Whether the message contains a one-time link for its recipient."""


@require_GET
@require_everywhere(Right.MANAGE_OPERATORS)
def outbox(request: ViewerRequest) -> HttpResponse:
    """List all messages, newest first."""
    tab = choice(request, "tab", dict(TABS))
    page = outbox_page(state=tab, after=place_in(request, "after", kind=datetime, pk_kind=UUID))
    context = {
        "rows": [_row(message) for message in page.rows],
        "following": word_of(page.after) or None,
        "is_first": "after" not in request.GET,
        "tab": tab,
        "tabs": TABS,
        "counts": unsent_counts(),
        "ways": _channels(),
        "shows_details": settings.NOTIFY_DETAILS,
        "link_days": settings.NOTIFY_LINK_DAYS,
        "section": "notifications",
    }
    return render_page(request, "notify/outbox.html", context, partial="messages")


def _row(message: OutgoingMessage) -> MessageRow:
    mark = MARKS[MessageState(message.state)]
    opens_once = message.path.startswith(prefix_of(MessagePage.LINK))
    return MessageRow(message, mark, ICONS[message.channel], spec_of(message.event).headline, opens_once)


def _channels() -> list[DeliveryWay]:
    """Return the channels; addresses of chat channels contain secrets, so the page only says whether they are
    set.
    """
    if settings.EMBEDDED and not settings.EMAIL_HOST:
        mail = (
            f"No mail server is set up. Emails are saved in the folder {settings.EMAIL_FILE_PATH} and shown "
            "below."
        )
    elif settings.MAIL_IS_CONFIGURED:
        mail = f"Through {settings.EMAIL_HOST}, from {settings.DEFAULT_FROM_EMAIL}."
    else:
        mail = "To send email, set GATEHOUSE_EMAIL_HOST."
    slack, hook = bool(settings.SLACK_WEBHOOK), bool(settings.WEBHOOK_URL)
    slack_words = (
        "To the room of the incoming webhook."
        if slack
        else "To send messages to a Slack room, set GATEHOUSE_SLACK_WEBHOOK."
    )
    hook_words = (
        "JSON, signed with HMAC-SHA256."
        if hook
        else "To call a program of yours, set GATEHOUSE_WEBHOOK_URL and GATEHOUSE_WEBHOOK_SECRET."
    )
    return [
        DeliveryWay("Email", "mail", settings.MAIL_IS_CONFIGURED, mail),
        DeliveryWay(
            "Slack",
            "message-square",
            slack,
            slack_words,
        ),
        DeliveryWay(
            "Webhook",
            "link",
            hook,
            hook_words,
        ),
    ]


@require_POST
@require_everywhere(Right.MANAGE_OPERATORS)
def test(request: ViewerRequest) -> HttpResponse:
    """Send a test message to the viewer and to every chat channel."""
    me = Person.objects.get(pk=request.viewer.person_id)
    number = notify(
        NotifyEvent.TEST,
        people=[me],
        subject="Test notification",
        text="This is a test. Notifications from Gatehouse look like this.",
        path="/settings/notifications/",
        key=uuid.uuid4().hex,
    )
    messages.success(request, f"Sending {number} test message{'' if number == 1 else 's'}.")
    return redirect("notify:outbox")


@require_POST
@require_everywhere(Right.MANAGE_OPERATORS)
def again(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Send a failed message again."""
    message = get_object_or_404(OutgoingMessage, pk=pk)
    try:
        send_again(message, actor=request.viewer)
    except NotifyError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Gatehouse is sending the message again.")
    return redirect("notify:outbox")
