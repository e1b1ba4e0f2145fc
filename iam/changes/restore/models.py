"""Models of the restore hold: the identity of the database, and the hold on every change."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class DatabaseIdentity(models.Model):
    """The identity of the database as a process last saw it, in one row.

    A backup that is restored elsewhere contains the row, but no longer matches it.
    """

    fingerprint = models.CharField(max_length=128)
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "restore_identity"

    def __str__(self) -> str:
        return self.fingerprint


class RestoreHold(models.Model):
    """While one of these is open, no change is applied.

    `cause` says how the restore was detected. Only one is open at a time.
    """

    began_at = models.DateTimeField()
    cause = models.CharField(max_length=512)
    is_open = models.BooleanField(default=True)
    ended_at = models.DateTimeField(null=True)
    ended_label = models.CharField(max_length=128, blank=True)

    class Meta:
        db_table = "restore_hold"
        constraints = [
            models.UniqueConstraint(fields=["is_open"], condition=Q(is_open=True), name="one_open_hold")
        ]

    def __str__(self) -> str:
        return f"hold since {self.began_at:%Y-%m-%d %H:%M}"
