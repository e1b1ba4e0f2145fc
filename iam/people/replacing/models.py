"""The table of replacements: the lost device, the requester and their channel, the verifier and theirs, and
the outcome.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q

from iam.changes.models import Change
from iam.directory.models import Person
from iam.mirror.models import Entity
from iam.people.links.models import OneTimeLink


class IdentityCheckChannel(models.TextChoices):
    """How two people communicated."""

    PERSON = "person", "In person"
    PHONE = "phone", "By phone, at a number you already had"
    VIDEO = "video", "By video, with the camera on"
    CHAT = "chat", "By chat"
    MAIL = "mail", "By email"
    PORTAL = "portal", "In Gatehouse"


SURE = (IdentityCheckChannel.PERSON, IdentityCheckChannel.PHONE, IdentityCheckChannel.VIDEO)
"""Channels over which a person can be recognized by sight or voice. Someone else who has the phone may
control a mailbox or chat.
"""


class ReplacementState(models.TextChoices):
    """The status of a replacement."""

    WAITING = "waiting", "Waiting for a second person"
    CHECKED = "checked", "Identity checked"
    REFUSED = "refused", "Refused"
    EXPIRED = "expired", "No one answered in time"


class DeviceReplacement(models.Model):
    """The replacement of a person's lost device. `removal` is the change that removes it, `link` the link to
    add a new one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="replacements")
    user = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="+")
    device = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=ReplacementState.choices, default=ReplacementState.WAITING)
    asked_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    asked_over = models.CharField(max_length=8, choices=IdentityCheckChannel.choices)
    reason = models.CharField(max_length=1000)
    until = models.DateTimeField(help_text="So long a second person can make sure.")
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    checked_over = models.CharField(max_length=8, choices=IdentityCheckChannel.choices, blank=True)
    checked_how = models.CharField(max_length=500, blank=True)
    removal = models.ForeignKey(Change, on_delete=models.PROTECT, null=True, related_name="+")
    link = models.ForeignKey(OneTimeLink, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "people_replacing_replacement"
        constraints = [
            models.UniqueConstraint(
                fields=["device"], condition=Q(state="waiting"), name="one_replacement_of_a_device_waits"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True)
                | (~Q(decided_by=F("asked_by")) & ~Q(decided_by=F("person"))),
                name="a_second_person_makes_sure",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device_id}: {self.state}"
