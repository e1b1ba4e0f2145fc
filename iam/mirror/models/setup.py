"""Work that workers do on behalf of the accounts pages: checks, discovery, uploads; and connections that are
being prepared.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from iam.mirror.models.accounts import Account, Partition


class JobState(models.TextChoices):
    """Where a piece of work stands."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


ACTIVE_JOB = Q(state__in=["queued", "running"])


class WorkerJob(models.Model):
    """A row that a worker claims: the row is the outbox, the message to Celery only a nudge.

    While it runs, `lease_until` says until when it is somebody's; a lease that has ended is claimed anew.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=8, choices=JobState.choices, default=JobState.QUEUED)
    requested_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    phase = models.CharField(max_length=64, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=2048, blank=True, help_text="Why it failed, in a sentence.")

    class Meta:
        abstract = True

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in {JobState.DONE, JobState.FAILED}


class SetupKind(models.TextChoices):
    """What a setup job finds out or does."""

    IDENTITY = "identity", "Worker’s identity"
    DISCOVER = "discover", "Accounts of the organization"
    IMPORT = "import", "Upload of an export"


class SetupJob(WorkerJob):
    """A question about AWS, or an upload to read, that no account can own yet; `params` and `result` hold no
    secret.

    `params` of discover: `account` (the number of the account to ask through; blank: the worker's own
    credentials) and the `external_id` that the roles of the organization may ask for. Of import: `export`,
    `report` (whether there is one), `size`, `file_name`, `observed_at` (ISO 8601, or blank), `name`,
    `accept_loss`. `result` of identity: `account_id`, `arn`, `partition`. Of discover: those of the caller
    under `identity`, `organization_id`, and `accounts` (`account_id`, `name`, `status`). Of import:
    `account_id`, `observed_at`, `counts`, `warnings`, `held` (why some of it was held back, or blank).
    """

    kind = models.CharField(max_length=12, choices=SetupKind.choices)
    params = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    pull = models.ForeignKey("mirror.Pull", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["kind", "-created_at"], name="setup_job_by_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}: {self.state}"


class DoctorRun(WorkerJob):
    """One examination of how an account is reached: every permission tried, with the result of each in
    `checks`.

    A check is a dictionary as `iam.mirror.doctor.checks.ExaminationCheck` makes it. `pull_after` asks for a
    first reading when the account can be reached.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="doctor_runs")
    pull_after = models.BooleanField(default=False)
    checks = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=ACTIVE_JOB, name="one_active_doctor_per_account"
            )
        ]
        indexes = [models.Index(fields=["account", "-created_at"], name="doctor_history")]

    def __str__(self) -> str:
        return f"examination {self.id} of {self.account_id}: {self.state}"


class ConnectionDraft(models.Model):
    """An account that somebody is about to connect: its external id is part of the trust that they write in
    AWS.

    The id is no secret to AWS, but it is shown to those who manage accounts only.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account_id = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=128)
    partition = models.CharField(max_length=12, choices=Partition.choices, default=Partition.AWS)
    external_id = models.CharField(max_length=1224)
    hub_arn = models.CharField(max_length=2048, blank=True, help_text="Who assumes the role.")
    requested_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"connection of {self.account_id}"
