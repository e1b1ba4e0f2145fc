"""Which database this is, and the hold on every change after it was restored."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class DatabaseIdentity(models.Model):
    """The database as a process last found it, in one row: a backup that is restored elsewhere brings the row
    along, and not what it says.
    """

    fingerprint = models.CharField(max_length=128)
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "restore_identity"

    def __str__(self) -> str:
        return self.fingerprint


class RestoreHold(models.Model):
    """No change is carried out while one of these is open. `cause` says how it was noticed; only one is open
    at a time.
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
