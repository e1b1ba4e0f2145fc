"""The columns that every run has: who requested what, why, and its status."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from django.db import models

from iam.guard import Viewer


class RunState(models.TextChoices):
    """The status of a run. A run whose people have their own status ends with `REQUESTED`."""

    DRAFT = "draft", "Draft"
    SUBMITTING = "asking", "Submitting"
    REQUESTED = "asked", "Requested"
    WAITING = "waiting", "Waiting for approval"
    RUNNING = "running", "In progress"
    DONE = "done", "Done"
    PARTLY = "partly", "Done in part"
    CLOSED = "closed", "Cancelled"


OPEN_RUN: Final = (RunState.SUBMITTING, RunState.WAITING, RunState.RUNNING)
"""States in which approvers or workers still have something to do."""


class RowStatus(models.TextChoices):
    """The result of checking a row of a draft."""

    READY = "ready", "Ready"
    BAD = "bad", "Needs fixing"
    EXISTING = "existing", "Has a user already"


class AbstractRun(models.Model):
    """A request for one or more people. `prefix` is the start of its reference."""

    prefix: ClassVar[str]

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=8, choices=RunState.choices, default=RunState.DRAFT)
    reason = models.CharField(max_length=1024, blank=True)
    requested_by = models.UUIDField()
    requested_label = models.CharField(max_length=128)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.reference

    @property
    def reference(self) -> str:
        """The short name of the run for people."""
        return f"{self.prefix}-{self.id.hex[:8].upper()}"

    @property
    def is_open(self) -> bool:
        """True while workers or approvers still have something to do."""
        return self.state in OPEN_RUN


class AbstractListRun(AbstractRun):
    """A run that begins as a list of people. `source` is the name of the file, blank without one. `trouble`
    says why the last attempt to request it was refused.
    """

    source = models.CharField(max_length=128, blank=True)
    trouble = models.CharField(max_length=1024, blank=True)
    asked_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def begin_submission(self, reason: str) -> None:
        """Set the columns for a submission. The caller saves the row."""
        self.state, self.reason, self.trouble = RunState.SUBMITTING, reason, ""
        self.asked_at = datetime.now(tz=UTC)


def requester(actor: Viewer) -> dict[str, Any]:
    """Return the columns with the requester of a run."""
    return {"requested_by": actor.person_id, "requested_label": actor.name[:128]}
