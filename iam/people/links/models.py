"""The table of one-time links: for which person and task, until when, and the outcome. The address itself
isn't stored; it is signed when needed.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from iam.directory.models import Person


class LinkPurpose(models.TextChoices):
    """What a link is for. It determines the page that opens."""

    MFA = "mfa", "Add an MFA device"
    INVITATION = "invitation", "Invitation"
    ROTATION = "rotation", "A new access key"


class LinkEndReason(models.TextChoices):
    """Why a link ended early."""

    REVOKED = "revoked", "Revoked"
    REPLACED = "replaced", "Replaced by a newer link"
    FINISHED = "finished", "Finished"


class OneTimeLink(models.Model):
    """A link for one person and one task of one IAM user.

    `used_at` is when the person pressed the button, after which the link can't be used again. `browser` is
    the digest of the browser's cookie, which is valid until `session_until`. `cause_id` is the id of the
    object in a higher layer for which it was made. `created_by` is null for Gatehouse. `is_checked` means
    that a second person verified the recipient, so that the link can add a device besides existing ones.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    purpose = models.CharField(max_length=16, choices=LinkPurpose.choices)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="links")
    user_arn = models.CharField(max_length=2048)
    cause_id = models.UUIDField(null=True)
    is_checked = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    created_by = models.UUIDField(null=True)
    created_label = models.CharField(max_length=128)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_from = models.CharField(max_length=45, blank=True)
    browser = models.CharField(max_length=64, blank=True)
    session_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=8, choices=LinkEndReason.choices, blank=True)
    ended_label = models.CharField(max_length=128, blank=True)

    class Meta:
        db_table = "people_links_link"
        constraints = [
            models.CheckConstraint(
                condition=Q(used_at__isnull=True, browser="", session_until__isnull=True)
                | (Q(used_at__isnull=False, session_until__isnull=False) & ~Q(browser="")),
                name="a_used_link_has_a_browser",
            ),
            models.UniqueConstraint(
                fields=["browser"], condition=~Q(browser=""), name="one_link_for_each_browser"
            ),
        ]
        indexes = [
            models.Index(fields=["user_arn", "-created_at"], name="link_of_user"),
            models.Index(fields=["cause_id"], condition=Q(cause_id__isnull=False), name="link_by_cause"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} link of {self.user_arn}"

    @property
    def account_id(self) -> str:
        """The account ID."""
        return self.user_arn.split(":")[4]

    @property
    def user_name(self) -> str:
        """The name of the IAM user."""
        return self.user_arn.rpartition("/")[2]
