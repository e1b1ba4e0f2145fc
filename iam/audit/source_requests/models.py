"""Models of requests about CloudTrail sources, with their decisions."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from iam.activity.sources.models import TrailSource
from iam.audit.approval_requests.requests import DecidedRequest, RequestState


class SourceAct(models.TextChoices):
    """The kind of request."""

    ADD = "add", "Add"
    CHANGE = "change", "Change"
    REMOVE = "remove", "Remove"


class SourceRequest(DecidedRequest):
    """A request to add, change or remove a source.

    `terms` are the requested settings of the source, `before` its settings at the time of the request, both
    as written by `terms_to_json`. `before` is empty for an addition, `terms` for a removal. `source` is None
    until an addition is approved.
    """

    act = models.CharField(max_length=8, choices=SourceAct.choices)
    state = models.CharField(max_length=10, choices=RequestState.choices, default=RequestState.REQUESTED)
    source = models.ForeignKey(TrailSource, null=True, on_delete=models.CASCADE, related_name="requests")
    name = models.CharField(max_length=300, help_text="What it reads, as lists name it.")
    terms = models.JSONField(default=dict)
    before = models.JSONField(default=dict)

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
