"""Sends messages to a webhook: JSON, signed with HMAC-SHA256 over the time and the body.

The receiver computes the HMAC-SHA256 of `TIMESTAMP.BODY` with the shared secret, compares it with
`Gatehouse-Signature`, and rejects a `Gatehouse-Timestamp` older than some minutes to prevent replays.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

from django.conf import settings

from iam.notify.channels.errors import DeliveryError
from iam.notify.channels.http_post import post
from iam.notify.events import spec_of
from iam.notify.links import plain_link
from iam.notify.models import OutgoingMessage


def send_to_webhook(message: OutgoingMessage) -> None:
    """Send the message. Raises DeliveryError."""
    if not settings.WEBHOOK_URL:
        raise DeliveryError("No webhook is configured any more (GATEHOUSE_WEBHOOK_URL).", is_final=True)
    body = json.dumps(payload_of(message), sort_keys=True, separators=(",", ":")).encode()
    moment = str(int(time.time()))
    headers = {
        "Gatehouse-Event": message.event,
        "Gatehouse-Delivery": str(message.pk),
        "Gatehouse-Timestamp": moment,
        "Gatehouse-Signature": f"v1={signature(settings.WEBHOOK_SECRET, moment=moment, body=body)}",
    }
    post(settings.WEBHOOK_URL, body=body, headers=headers, who="The webhook")


def signature(secret: str, *, moment: str, body: bytes) -> str:
    """Return the HMAC-SHA256 of the time, a dot and the body, in hex."""
    return hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()


def payload_of(message: OutgoingMessage) -> dict[str, Any]:
    """Return the payload: the event and the page, and the subject only if the settings allow it."""
    payload = {
        "id": str(message.pk),
        "event": message.event,
        "headline": spec_of(message.event).headline,
        "reference": message.reference,
        "url": plain_link(message.path),
        "at": message.created_at.isoformat(),
    }
    return payload | ({"subject": message.subject, "text": message.text} if settings.NOTIFY_DETAILS else {})
