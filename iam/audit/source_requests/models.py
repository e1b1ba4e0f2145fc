"""Requests about CloudTrail sources, and who decided about them."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from iam.activity.sources.models import TrailSource


class SourceAct(models.TextChoices):
    """What is requested."""

    ADD = "add", "Add"
    CHANGE = "change", "Change"
    REMOVE = "remove", "Remove"


class SourceRequestState(models.TextChoices):
    """Where a request stands."""

    REQUESTED = "requested", "Waiting for approval"
    APPROVED = "approved", "Approved"
    DECLINED = "declined", "Declined"


class SourceRequest(models.Model):
    """A request to add, change or remove a source. `terms` are what the source shall read, and `before` what
    it read when that was requested, as `terms_to_json` writes them; one of them is empty for a source that is
    added or removed. `source` is None until an addition is approved.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    act = models.CharField(max_length=8, choices=SourceAct.choices)
    state = models.CharField(
        max_length=10, choices=SourceRequestState.choices, default=SourceRequestState.REQUESTED
    )
    source = models.ForeignKey(TrailSource, null=True, on_delete=models.CASCADE, related_name="requests")
    name = models.CharField(max_length=300, help_text="What it reads, as lists name it.")
    terms = models.JSONField(default=dict)
    before = models.JSONField(default=dict)
    reason = models.CharField(max_length=1000)
    requested_by = models.UUIDField()
    requested_name = models.CharField(max_length=200)
    requested_at = models.DateTimeField()
    decided_by = models.UUIDField(null=True)
    decided_name = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source"],
                condition=Q(state="requested", source__isnull=False),
                name="one_requested_of_a_source",
            )
        ]
        indexes = [models.Index(fields=["state", "requested_at"], name="source_request_waiting")]

    def __str__(self) -> str:
        return f"{self.get_act_display()} {self.name}: {self.state}"
