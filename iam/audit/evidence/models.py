"""Models of requested evidence packs and their progress."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import models

from iam.moments import day_words


class PackKind(models.TextChoices):
    """The kinds of packs."""

    PERIOD = "period", "Period"
    FRAMEWORK = "framework", "Framework"
    REVIEW = "review", "Access review"


class PackState(models.TextChoices):
    """The status of a pack."""

    WAITING = "waiting", "Waiting for a worker"
    BUILDING = "building", "Being built"
    DONE = "done", "Ready"
    FAILED = "failed", "Failed"


class EvidencePack(models.Model):
    """An evidence pack.

    `subject` is the name of the framework or the reference of the review; "" for a period. `accounts` are
    account IDs; empty for all accounts that the requester sees. `rows` counts the rows written so far.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=12, choices=PackKind.choices)
    subject = models.CharField(max_length=64, blank=True)
    title = models.CharField(max_length=200)
    accounts = models.JSONField(default=list)
    since = models.DateTimeField()
    until = models.DateTimeField()
    seed = models.CharField(max_length=64)
    sample_size = models.PositiveSmallIntegerField()
    requested_by = models.UUIDField()
    requested_name = models.CharField(max_length=128)
    requested_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=PackState.choices, default=PackState.WAITING)
    lease_until = models.DateTimeField(null=True)
    as_of = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    rows = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    key = models.CharField(max_length=256, blank=True, help_text="The public key that it is verified with.")
    error = models.CharField(max_length=512, blank=True)
    removed_at = models.DateTimeField(null=True, help_text="When the file was deleted.")
    removed_name = models.CharField(max_length=128, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["-requested_at", "-id"], name="pack_newest"),
            models.Index(fields=["requested_by", "-requested_at"], name="pack_by_requester"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def period(self) -> str:
        """The first and last day in UTC; `until` is the moment after it."""
        return f"{day_words(self.since)} to {day_words(self.until - timedelta(seconds=1))}"

    @property
    def reference(self) -> str:
        """The short reference that people use."""
        return f"EVD-{self.id.hex[:8].upper()}"

    @property
    def path(self) -> Path:
        """The path of the file; web processes and workers must share the folder."""
        return Path(settings.VAR) / "evidence" / f"{self.id}.zip"

    @property
    def is_final(self) -> bool:
        """True if the state is final."""
        return self.state in (PackState.DONE, PackState.FAILED)
