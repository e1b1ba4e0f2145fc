"""The score of an account on a day."""

from __future__ import annotations

from django.db import models

from iam.mirror.models import Account


class PostureDay(models.Model):
    """The last score of a day (UTC). `lines` are (kind, severity, count, points); `score` None: no kind was
    judged.
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
