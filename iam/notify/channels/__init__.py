"""The channels: each sends a message from the outbox, or says why it could not."""

from __future__ import annotations

from iam.notify.channels.errors import DeliveryError
from iam.notify.channels.mail import send_mail
from iam.notify.channels.slack import send_to_slack
from iam.notify.channels.webhook import send_to_webhook
from iam.notify.models import MessageChannel, OutgoingMessage

__all__ = ["DeliveryError", "send"]

_WAYS = {
    MessageChannel.EMAIL: send_mail,
    MessageChannel.SLACK: send_to_slack,
    MessageChannel.WEBHOOK: send_to_webhook,
}


def send(message: OutgoingMessage) -> None:
    """Send the message by its channel. Raises DeliveryError."""
    _WAYS[MessageChannel(message.channel)](message)
