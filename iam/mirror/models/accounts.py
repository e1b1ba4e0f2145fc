"""The tables of AWS accounts, the freshness of their sections, and the pulls that read them."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan


class Partition(models.TextChoices):
    """The AWS partitions."""

    AWS = "aws", "AWS"
    CHINA = "aws-cn", "AWS China"
    GOV = "aws-us-gov", "AWS GovCloud (US)"


class AccountSource(models.TextChoices):
    """How Gatehouse learns about an account."""

    ROLE = "role", "Role, external ID"
    ORGANIZATION = "organization", "Organization"
    ENVIRONMENT = "environment", "Environment"
    EXPORT = "export", "Uploaded file"


class Account(models.Model):
    """An AWS account, reached by a role or by the worker's own credentials, or known from an
    uploaded export.
    """

    account_id = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=128)
    alias = models.CharField(max_length=63, blank=True)
    partition = models.CharField(max_length=12, choices=Partition.choices, default=Partition.AWS)
    source = models.CharField(max_length=12, choices=AccountSource.choices)
    role_arn = models.CharField(max_length=2048, blank=True)
    write_role_arn = models.CharField(max_length=2048, blank=True)
    external_id = models.CharField(max_length=1224, blank=True)
    organization_id = models.CharField(max_length=34, blank=True)
    organization_path = models.CharField(max_length=512, blank=True)
    pull_every = models.PositiveIntegerField(
        null=True, help_text="Minutes between scheduled pulls; null is the default."
    )
    next_pull_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True)
    revision = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Grows whenever something of the account is written to the mirror."
    )
    writes = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="Grows like the revision, and with credentials and last uses too."
    )
    counted_writes = models.PositiveBigIntegerField(
        null=True,
        help_text="The value of `writes` when the numbers of the account were last counted and kept.",
    )

    class Meta:
        indexes = [models.Index(fields=["name", "id"], name="account_by_name")]

    def __str__(self) -> str:
        return f"{self.name} ({self.account_id})"

    @property
    def is_writable(self) -> bool:
        """True if changes can be made, because there is access with write permissions."""
        return bool(self.write_role_arn) or self.source == AccountSource.ENVIRONMENT

    @property
    def display_id(self) -> str:
        """The account ID in groups of four digits, as AWS prints it."""
        return f"{self.account_id[:4]}-{self.account_id[4:8]}-{self.account_id[8:]}"


class SectionState(models.TextChoices):
    """The result of the last attempt to sync a section. `reading` only occurs for a section of a running
    pull.
    """

    NEVER = "never", "Not synced yet"
    READING = "reading", "Syncing"
    COMPLETE = "complete", "Complete"
    PARTIAL = "partial", "Partial"
    DENIED = "denied", "Denied"
    FAILED = "failed", "Failed"
    HELD = "held", "On hold"


NOT_WHOLE = Q(state__in=["never", "partial", "denied", "failed", "held"])


class Section(models.Model):
    """The freshness of a section of an account, which is shown beside its data."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="sections")
    name = models.CharField(max_length=32)
    state = models.CharField(max_length=8, choices=SectionState.choices, default=SectionState.NEVER)
    observed_at = models.DateTimeField(null=True, help_text="The last complete observation.")
    known_since = models.DateTimeField(
        null=True, help_text="The first complete observation; nothing is known from before."
    )
    attempted_at = models.DateTimeField(null=True)
    bad_since = models.DateTimeField(null=True, help_text="Since when it has not been complete.")
    count = models.PositiveIntegerField(default=0)
    permission = models.CharField(max_length=128, blank=True, help_text="The action that AWS denied.")
    message = models.CharField(max_length=1024, blank=True)
    error_code = models.CharField(max_length=128, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="one_section_per_account")]
        indexes = [
            models.Index(fields=["account"], condition=NOT_WHOLE, name="section_not_whole"),
            models.Index(
                fields=["observed_at"],
                condition=Q(name="users", observed_at__isnull=False),
                name="section_users_read",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.account_id}: {self.state}"


KNOWN_SINCE = Coalesce("known_since", "observed_at")
"""The first time from which a section is known."""


def unknown_at(at: datetime | None) -> Q:
    """Return the condition for sections that had not been synced completely at a time (None: now). Missing
    rows of such a section mean nothing.
    """
    if at is None:
        return Q(observed_at__isnull=True)
    return Q(observed_at__isnull=True) | Q(GreaterThan(KNOWN_SINCE, at))


class PullState(models.TextChoices):
    """The status of a pull."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Syncing"
    COMPLETE = "complete", "Complete"
    PARTIAL = "partial", "Partial"
    HELD = "held", "On hold"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Stopped"


ACTIVE_PULL = Q(state__in=["queued", "running"])
CHANGED_PULL = Q(added__gt=0) | Q(changed__gt=0) | Q(ended__gt=0)
UPLOAD = "upload"
PULLS_KEPT = timedelta(days=2)
"""How long a scheduled pull without changes is kept."""


class Pull(models.Model):
    """A sync of an account. At most one is queued or running per account; the constraint is the lock.

    An upload begins at the date of its file, which is before the row was created.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="pulls")
    state = models.CharField(max_length=10, choices=PullState.choices, default=PullState.QUEUED)
    trigger = models.CharField(
        max_length=12, default="schedule", help_text="schedule, demand, command, upload"
    )
    requested_by = models.UUIDField(null=True)
    accept_loss = models.BooleanField(
        default=False, help_text="A person confirmed that what vanished is really gone."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    calls = models.PositiveIntegerField(default=0)
    calls_expected = models.PositiveIntegerField(default=0)
    waits = models.PositiveIntegerField(default=0, help_text="Retries and waits that AWS asked for.")
    phase = models.CharField(max_length=64, blank=True)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    ended = models.PositiveIntegerField(default=0)
    message = models.CharField(max_length=1024, blank=True)
    cancel_requested = models.BooleanField(default=False)
    nudged_at = models.DateTimeField(null=True, help_text="When the broker was last told of it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=ACTIVE_PULL, name="one_active_pull_per_account"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-created_at"], name="pull_history"),
            models.Index(fields=["account", "began_at"], condition=CHANGED_PULL, name="pull_changes"),
            models.Index(fields=["began_at"], condition=CHANGED_PULL, name="pull_changes_all"),
            models.Index(fields=["account", "began_at"], condition=Q(trigger=UPLOAD), name="pull_uploads"),
        ]

    def __str__(self) -> str:
        return f"sync {self.id} of {self.account_id}: {self.state}"

    @property
    def is_final(self) -> bool:
        """True if the pull has ended."""
        return self.state not in {PullState.QUEUED, PullState.RUNNING}

    @property
    def seconds(self) -> float | None:
        """The duration in seconds, or None."""
        began_at = self.created_at if self.trigger == UPLOAD else self.began_at
        return (self.ended_at - began_at).total_seconds() if self.ended_at and began_at else None


class PullSection(models.Model):
    """The result of a pull for one section."""

    pull = models.ForeignKey(Pull, on_delete=models.CASCADE, related_name="sections")
    name = models.CharField(max_length=32)
    state = models.CharField(max_length=8, choices=SectionState.choices)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    observed_at = models.DateTimeField(null=True)
    calls = models.PositiveIntegerField(default=0)
    count = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    ended = models.PositiveIntegerField(default=0)
    permission = models.CharField(max_length=128, blank=True, help_text="The action that AWS denied.")
    message = models.CharField(max_length=1024, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pull", "name"], name="one_row_per_pull_and_section")]

    def __str__(self) -> str:
        return f"{self.name} in {self.pull_id}: {self.state}"
