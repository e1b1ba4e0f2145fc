"""Sends messages to a Slack channel with an incoming webhook.
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import json

from django.conf import settings

from iam.notify.channels.errors import DeliveryError
from iam.notify.channels.http_post import post
from iam.notify.events import spec_of
from iam.notify.links import plain_link
from iam.notify.models import OutgoingMessage


def send_to_slack(message: OutgoingMessage) -> None:
    """Send the message. Raises DeliveryError."""
    if not settings.SLACK_WEBHOOK:
        raise DeliveryError(
            "No Slack webhook is configured any more (GATEHOUSE_SLACK_WEBHOOK).", is_final=True
        )
    body = json.dumps({"text": text_of(message), "unfurl_links": False}).encode()
    post(settings.SLACK_WEBHOOK, body=body, headers={}, who="Slack")


def text_of(message: OutgoingMessage) -> str:
    """Return the text for the channel: the event and the page, and the subject only if the
    settings allow it.
    """
    named = "".join(f"<@{member}> " for member in message.mentions)
    about = message.subject if settings.NOTIFY_DETAILS else " ".join(
        part for part in (spec_of(message.event).headline + ":", message.reference) if part
    ).rstrip(":")  # fmt: skip
    return f"{named}{_escaped(about)}\n<{plain_link(message.path)}|Open in Gatehouse>"


def _escaped(text: str) -> str:
    """Escape a text: https://docs.slack.dev/messaging/formatting-message-text#escaping"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
