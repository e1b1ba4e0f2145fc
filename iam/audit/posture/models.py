"""Models of posture scores: by day, and for past moments."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from iam.mirror.models import Account


class PostureDay(models.Model):
    """The last score of a day in UTC.

    `lines` are (kind, severity, count, points); `score` is None if no kind could be judged.
    """

    account = models.ForeignKey(Account, db_index=False, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    score = models.FloatField(null=True)
    lines = models.JSONField(default=list)
    unread = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "day"], name="one_posture_of_a_day")]
        indexes = [models.Index(fields=["day"], name="posture_by_day")]

    def __str__(self) -> str:
        return f"{self.account_id} on {self.day}: {self.score}"


class PastPosture(models.Model):
    """Score and findings of an account at a past moment, requested by a page and calculated by a worker with
    today's rules.

    `lines` are as in PostureDay. `findings` are (kind, severity, certainty, status, subject), worst first:
    the first MAX_KEPT of `count`.
    """

    account = models.ForeignKey(Account, db_index=False, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    requested_at = models.DateTimeField()
    calculated_at = models.DateTimeField(null=True)
    score = models.FloatField(null=True)
    lines = models.JSONField(default=list)
    unread = models.JSONField(default=list)
    count = models.PositiveIntegerField(default=0)
    findings = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "at"], name="one_posture_of_a_moment")]
        indexes = [
            models.Index(
                fields=["requested_at"], condition=Q(calculated_at__isnull=True), name="past_posture_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} at {self.at}: {self.score}"
