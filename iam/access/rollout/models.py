"""Models of rollouts, which update grants to a template version by one set of changes."""

from __future__ import annotations

import uuid

from django.db import models

from iam.access.grants.models import Grant
from iam.access.templates.models import TemplateVersion


class Rollout(models.Model):
    """A set of changes that updates grants.

    `done_at` is set once every grant was updated, or can no longer be by this set.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    version = models.ForeignKey(TemplateVersion, on_delete=models.PROTECT, related_name="+")
    asked_by = models.UUIDField()
    asked_label = models.CharField(max_length=128)
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"rollout of {self.version_id}"


class RolloutGrant(models.Model):
    """One grant of a rollout; `positions` are the changes of the set that it needs."""

    rollout = models.ForeignKey(Rollout, on_delete=models.PROTECT, related_name="grants")
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="+")
    positions = models.JSONField(default=list)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rollout", "grant"], name="one_rollout_of_grant")]

    def __str__(self) -> str:
        return f"{self.rollout_id}: {self.grant_id}"
