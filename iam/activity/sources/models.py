"""The tables of event sources, how far each was read, and which periods are known."""

from __future__ import annotations

from uuid import uuid4

from django.db import models
from django.db.models import Q

from iam.mirror.models import Account, Entity


class SourceKind(models.TextChoices):
    """How events are read."""

    BUCKET = "bucket", "S3 bucket of a trail"
    HISTORY = "history", "CloudTrail event history"


class SpanBasis(models.TextChoices):
    """Why a period counts as complete: every log file in CloudTrail's digest files was read and is unaltered,
    all files in the bucket were read, or all events were requested from CloudTrail.
    """

    DIGEST = "digest", "Verified with digest files"
    LISTING = "listing", "All files of the bucket"
    HISTORY = "history", "CloudTrail event history"


class TrailSource(models.Model):
    """A bucket, or the event history of an account, that is read with the role of `account`.

    `since` is the first day to read. `error` says in one sentence why the last run failed, and `error_field`
    names the field concerned. `check_result` is the result of a test: `is_ok`, `text`, `field`.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=SourceKind.choices)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="trail_sources")
    bucket = models.CharField(max_length=63, blank=True)
    prefix = models.CharField(max_length=200, blank=True)
    region = models.CharField(max_length=32, blank=True)
    queue_url = models.CharField(max_length=512, blank=True)
    since = models.DateField()
    is_paused = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=256)
    removed_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    next_run_at = models.DateTimeField(null=True)
    found_at = models.DateTimeField(null=True, help_text="When the accounts and Regions were last listed.")
    ended_at = models.DateTimeField(null=True, help_text="When the last run ended.")
    succeeded_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, help_text="Runs that failed one after the other.")
    error = models.CharField(max_length=500, blank=True)
    error_field = models.CharField(max_length=16, blank=True)
    check_requested_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    check_result = models.JSONField(default=dict)

    class Meta:
        db_table = "activity_source"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "account", "bucket", "prefix"],
                condition=Q(removed_at__isnull=True),
                name="one_source_per_bucket",
            )
        ]

    def __str__(self) -> str:
        if self.kind == SourceKind.BUCKET:
            return f"s3://{self.bucket}/{self.prefix}"
        return f"CloudTrail event history of {self.account}"

    @property
    def is_check_running(self) -> bool:
        """True if a requested test isn't finished."""
        asked = self.check_requested_at
        return asked is not None and (self.checked_at is None or self.checked_at < asked)


class SourcePlace(models.Model):
    """An account and Region of a source, and how far it was read.

    For a bucket, `after` is the last key that was read, and `late_at` is when the last days were listed
    again. For the event history, everything between `read_from` and `read_until` was read, and
    `slice_seconds` is the period of one request.
    """

    source = models.ForeignKey(TrailSource, on_delete=models.CASCADE, related_name="places")
    account_id = models.CharField(max_length=12)
    region = models.CharField(max_length=32)
    folder = models.CharField(max_length=400, blank=True)
    after = models.CharField(max_length=1024, blank=True)
    digest_after = models.CharField(max_length=1024, blank=True)
    digest_at = models.DateTimeField(null=True, help_text="When digest files were last looked for.")
    late_at = models.DateTimeField(null=True)
    read_from = models.DateTimeField(null=True)
    read_until = models.DateTimeField(null=True)
    slice_seconds = models.PositiveIntegerField(default=3600)
    visited_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "activity_source_place"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "account_id", "region", "folder"], name="one_place_per_folder"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_id} in {self.region}"


class SourceFile(models.Model):
    """A log file of a bucket that was read. `sha256` is that of its decompressed bytes, as in digest files.
    `problem` says why it could not be read completely.
    """

    source = models.ForeignKey(TrailSource, on_delete=models.CASCADE, db_index=False, related_name="files")
    key_digest = models.CharField(max_length=32, help_text="BLAKE2b-128 of the key.")
    key = models.CharField(max_length=1024)
    account_id = models.CharField(max_length=12)
    region = models.CharField(max_length=32)
    at = models.DateTimeField(help_text="The time in its name.")
    sha256 = models.CharField(max_length=64, blank=True)
    problem = models.CharField(max_length=256, blank=True)
    read_at = models.DateTimeField()

    class Meta:
        db_table = "activity_source_file"
        constraints = [
            models.UniqueConstraint(fields=["source", "key_digest"], name="one_row_per_source_file")
        ]
        indexes = [
            models.Index(
                fields=["account_id", "region", "at"], name="source_file_problems", condition=~Q(problem="")
            )
        ]

    def __str__(self) -> str:
        return self.key


class DigestFile(models.Model):
    """A digest file of CloudTrail and the result of its verification.

    `problem` is empty if its signature is valid, it follows the previous digest file, and every log file that
    it names exists unaltered.
    """

    source = models.ForeignKey(TrailSource, on_delete=models.CASCADE, db_index=False, related_name="digests")
    key_digest = models.CharField(max_length=32, help_text="BLAKE2b-128 of the key.")
    key = models.CharField(max_length=1024)
    account_id = models.CharField(max_length=12)
    region = models.CharField(max_length=32)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    sha256 = models.CharField(max_length=64, blank=True)
    signature = models.TextField(blank=True)
    log_files = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)
    checked_at = models.DateTimeField()

    class Meta:
        db_table = "activity_digest"
        constraints = [models.UniqueConstraint(fields=["source", "key_digest"], name="one_row_per_digest")]
        indexes = [models.Index(fields=["account_id", "region", "end_at"], name="digest_by_time")]

    def __str__(self) -> str:
        return self.key


class ReadSpan(models.Model):
    """A period of an account and Region that was read completely, in the sense of its basis. Adjacent spans
    with the same basis are merged into one row.
    """

    account_id = models.CharField(max_length=12)
    region = models.CharField(max_length=32)
    basis = models.CharField(max_length=16, choices=SpanBasis.choices)
    start = models.DateTimeField()
    end = models.DateTimeField()

    class Meta:
        db_table = "activity_span"
        indexes = [models.Index(fields=["account_id", "region", "basis", "start"], name="span_by_place")]

    def __str__(self) -> str:
        return f"{self.account_id} in {self.region}: {self.start} to {self.end}"


class UploadState(models.TextChoices):
    """The progress of an upload."""

    QUEUED = "queued", "Waiting for a worker"
    READING = "reading", "Reading"
    DONE = "done", "Done"


class TrailUpload(models.Model):
    """Trail files that someone uploaded. `names` are in the order of the files in the upload's folder.
    `quarantined` are pairs of name and reason.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=256)
    state = models.CharField(max_length=16, choices=UploadState.choices, default=UploadState.QUEUED)
    names = models.JSONField(default=list)
    done = models.PositiveIntegerField(default=0, help_text="Files that were read.")
    stored = models.PositiveIntegerField(default=0, help_text="Events that were new.")
    repeated = models.PositiveIntegerField(default=0, help_text="Events that were stored before.")
    quarantined = models.JSONField(default=list)
    lease_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "activity_upload"

    def __str__(self) -> str:
        return f"{len(self.names)} trail files"

    @property
    def is_final(self) -> bool:
        """True if the upload is done."""
        return self.state == UploadState.DONE


class ReportState(models.TextChoices):
    """The progress of a report."""

    WAITING = "waiting", "Waiting for a worker"
    READING = "reading", "IAM makes the report"
    DONE = "done", "Read"
    FAILED = "failed", "Failed"


class ServicesReport(models.Model):
    """IAM's data on when a user or role last used each service that its policies allow. `services` are
    mappings with `prefix`, `name`, `at` (None: not used in the 400 days that IAM tracks) and `region`, as of
    `read_at`; they remain while they are read again. `job_id` is AWS’s, `error` says why the last attempt
    failed.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    entity = models.OneToOneField(Entity, on_delete=models.CASCADE, related_name="services_report")
    account = models.ForeignKey(Account, db_index=False, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=16, choices=ReportState.choices, default=ReportState.WAITING)
    requested_at = models.DateTimeField()
    requested_by = models.CharField(max_length=256, blank=True)
    job_id = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    read_at = models.DateTimeField(null=True)
    services = models.JSONField(default=list)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "activity_services_report"
        indexes = [
            models.Index(fields=["account", "read_at"], name="services_report_by_account"),
            models.Index(
                fields=["requested_at"],
                name="services_report_due",
                condition=Q(state__in=["waiting", "reading"]),
            ),
        ]

    def __str__(self) -> str:
        return f"services of {self.entity_id}"

    @property
    def is_pending(self) -> bool:
        """True if a worker has to read it or is doing so."""
        return self.state in (ReportState.WAITING, ReportState.READING)
