"""The table of sealed secrets: the recipient, the expiration, and the outcome. The row remains when the text
is deleted.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q


class SecretState(models.TextChoices):
    """The status of a secret. While it is held or sealed it exists; afterwards its text is deleted
    permanently.
    """

    HELD = "held", "Waiting for AWS"
    SEALED = "sealed", "Can be shown once"
    OPENED = "opened", "Shown"
    TAKEN = "taken", "Used"
    EXPIRED = "expired", "Expired"
    SHREDDED = "shredded", "Destroyed"


LIVING = (SecretState.HELD, SecretState.SEALED)


class Secret(models.Model):
    """A sealed secret. `purpose` is a dotted slug that readers must name. `label` describes the secret, such
    as the ID of an access key.

    It can be read from `released_at` on. `person_id` is the only person who can read it, null if only a
    worker uses it; `browser` is the digest of the only session, blank for any. `ciphertext` is blank once the
    secret was read, used, expired or destroyed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    purpose = models.CharField(max_length=64)
    label = models.CharField(max_length=512, blank=True)
    account_id = models.CharField(max_length=12, blank=True)
    person_id = models.UUIDField(null=True)
    browser = models.CharField(max_length=64, blank=True)
    ciphertext = models.TextField(blank=True)
    state = models.CharField(max_length=8, choices=SecretState.choices, default=SecretState.SEALED)
    sealed_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=128, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=LIVING, ended_at__isnull=True)
                | (~Q(state__in=LIVING) & Q(ciphertext="", ended_at__isnull=False)),
                name="an_ended_secret_has_no_text",
            )
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state__in=LIVING), name="secret_expiring"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.label}: {self.state}"

    @property
    def is_there(self) -> bool:
        """True if it still has its text."""
        return self.state in LIVING
