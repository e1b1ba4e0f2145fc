"""The tables of the outbox, with a row per message and recipient, and of people's notification
preferences.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

DELIVER = "iam.notify.tasks.deliver"


class MessageChannel(models.TextChoices):
    """How a message is sent. Mail goes to one person; Slack and the webhook are rooms that get it once."""

    EMAIL = "email", "E-mail"
    SLACK = "slack", "Slack"
    WEBHOOK = "webhook", "Webhook"


class MessageState(models.TextChoices):
    """The status of a message."""

    WAITING = "waiting", "Waiting"
    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"
    GIVEN_UP = "given_up", "Given up"


class OutgoingMessage(models.Model):
    """A message to one recipient. The rows are the outbox, in which due messages are found.

    `key` identifies the event: a recipient gets each key once. `recipient` is the person's id, blank for a
    room. `path` is the page to open; its signed link is made when the message is sent, and not stored.
    `attempts` counts the claims and is the fencing token.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    event = models.CharField(max_length=32)
    channel = models.CharField(max_length=8, choices=MessageChannel.choices)
    key = models.CharField(max_length=160)
    recipient = models.CharField(max_length=36, blank=True)
    name = models.CharField(max_length=128, blank=True)
    address = models.CharField(max_length=254, blank=True)
    subject = models.CharField(max_length=300)
    text = models.TextField(blank=True)
    path = models.CharField(max_length=512, default="/")
    reference = models.CharField(max_length=64, blank=True)
    mentions = models.JSONField(
        default=list, help_text="Slack's ids of the people whom a room's message names."
    )
    state = models.CharField(max_length=8, choices=MessageState.choices, default=MessageState.WAITING)
    due_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=512, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "notify_outgoing"
        constraints = [
            models.UniqueConstraint(fields=["key", "channel", "recipient"], name="told_once"),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="outgoing_due"),
            models.Index(fields=["lease_until"], condition=Q(state="sending"), name="outgoing_leased"),
            models.Index(fields=["-created_at", "-id"], name="outgoing_newest"),
            models.Index(fields=["state", "-created_at", "-id"], name="outgoing_by_state"),
            models.Index(fields=["ended_at"], condition=Q(state="sent"), name="outgoing_over"),
        ]

    def __str__(self) -> str:
        return f"{self.event} by {self.channel}: {self.state}"


class Preference(models.Model):
    """Whether a person wants notifications of an event by a channel. Without a row, the default applies."""

    person_id = models.UUIDField()
    event = models.CharField(max_length=32)
    channel = models.CharField(max_length=8, choices=MessageChannel.choices)
    is_wanted = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person_id", "event", "channel"], name="one_preference"),
        ]

    def __str__(self) -> str:
        return f"{self.event} by {self.channel}: {self.is_wanted}"


class SlackMember(models.Model):
    """A person's Slack member ID, with which a message in the room can mention them."""

    person_id = models.UUIDField(primary_key=True)
    member_id = models.CharField(max_length=32)

    def __str__(self) -> str:
        return self.member_id
