"""The table of enrollments: who enrolls which device for which IAM user, in which browser, and how far it is.
The seed and the codes are sealed and not stored here.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from iam.changes.models import Change
from iam.directory.models import Person
from iam.mirror.models import Entity
from iam.people.links.models import OneTimeLink


class EnrolmentOutcome(models.TextChoices):
    """How an enrollment ended."""

    ENABLED = "enabled", "Enabled"
    CANCELLED = "cancelled", "Cancelled"
    EXPIRED = "expired", "Not finished in time"
    LOCKED = "locked", "Too many wrong codes"
    FAILED = "failed", "Failed"


class Enrolment(models.Model):
    """The enrollment of one device for one IAM user.

    `browser` is the digest of the browser's secret (the cookie of a link, or the key of a session).
    `sealed_id` is the seal of the seed. `making` creates the device, `giving` enables it for the user (the
    latest attempt), `cleaning` deletes it. `is_settled` means that nothing is left to do.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="enrolments")
    user = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="+")
    link = models.ForeignKey(OneTimeLink, on_delete=models.PROTECT, null=True, related_name="enrolments")
    browser = models.CharField(max_length=64)
    device_name = models.CharField(max_length=226)
    serial_number = models.CharField(max_length=512)
    sealed_id = models.UUIDField(default=uuid.uuid4)
    begun_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    making = models.ForeignKey(Change, on_delete=models.PROTECT, null=True, related_name="+")
    giving = models.ForeignKey(Change, on_delete=models.PROTECT, null=True, related_name="+")
    cleaning = models.ForeignKey(Change, on_delete=models.PROTECT, null=True, related_name="+")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Codes that were sent to AWS.")
    failures = models.PositiveSmallIntegerField(default=0, help_text="Codes that were wrong.")
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=9, choices=EnrolmentOutcome.choices, blank=True)
    is_settled = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "browser"],
                condition=Q(ended_at__isnull=True),
                name="one_enrolment_in_a_browser",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, outcome="") | (Q(ended_at__isnull=False) & ~Q(outcome="")),
                name="an_ended_enrolment_says_how",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-begun_at"], name="enrolment_of_user"),
            models.Index(fields=["begun_at"], condition=Q(is_settled=False), name="enrolment_to_tend"),
        ]

    def __str__(self) -> str:
        return f"{self.device_name}: {self.outcome or 'in progress'}"
