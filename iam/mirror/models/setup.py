"""Worker jobs of the accounts pages (checks, discovery, uploads), and drafts of connections."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from iam.mirror.models.accounts import Account, Partition


class JobState(models.TextChoices):
    """The status of a job."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


ACTIVE_JOB = Q(state__in=["queued", "running"])


class WorkerJob(models.Model):
    """A row that a worker claims. The row is the outbox; the Celery message only a notification.

    While it runs, the worker's lease ends at `lease_until`. After that, another worker can claim it.
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
        """True if the job has ended."""
        return self.state in {JobState.DONE, JobState.FAILED}


class SetupKind(models.TextChoices):
    """The type of a setup job."""

    IDENTITY = "identity", "Worker’s identity"
    DISCOVER = "discover", "Accounts of the organization"
    IMPORT = "import", "Upload of an export"


class SetupJob(WorkerJob):
    """A query to AWS, or an upload to import, that doesn't belong to an account yet. `params` and `result`
    contain no secrets.

    `params` of discover: `account` (the ID of the account to query; blank: the worker's own credentials) and
    the `external_id` that the organization's roles can require. Of import: `export`, `report` (whether there
    is one), `size`, `file_name`, `observed_at` (ISO 8601, or blank), `name`, `accept_loss`. `result` of
    identity: `account_id`, `arn`, `partition`. Of discover: the caller's under `identity`, `organization_id`,
    and `accounts` (`account_id`, `name`, `status`). Of import: `account_id`, `observed_at`, `counts`,
    `warnings`, `held` (why a part was held back, or blank).
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
    """An examination of the access to an account: the result of each permission test is in `checks`.

    A check is a dictionary made by `iam.mirror.doctor.checks.ExaminationCheck`. `pull_after` requests a first
    sync once the account can be reached.
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
    """An account that someone is about to connect. Its external ID is part of the trust policy that they
    write in AWS.

    The ID is no secret for AWS, but only people who manage accounts can see it.
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
