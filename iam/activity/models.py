"""The tables of trail files, their events, the principals that made them, and rollups."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class TrailFile(models.Model):
    """A trail file that was read. Its digest is the BLAKE2b-128 of its delivered bytes, so that the same file
    isn't read twice, whatever its location.

    `reason` says what could not be read: the whole file if `stored` and `repeated` are 0, otherwise some of
    its events. It is empty for a file that isn't quarantined.
    """

    digest = models.CharField(max_length=32, unique=True)
    source = models.CharField(max_length=16, help_text="How it came: command, upload, sample, bucket.")
    name = models.CharField(max_length=1024)
    size = models.BigIntegerField()
    stored = models.PositiveIntegerField(default=0, help_text="Events that were new.")
    repeated = models.PositiveIntegerField(default=0, help_text="Events that another file had brought.")
    refused = models.PositiveIntegerField(default=0, help_text="Events that could not be read.")
    reason = models.CharField(max_length=256, blank=True)
    first_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField()

    class Meta:
        db_table = "activity_file"
        indexes = [
            models.Index(fields=["read_at"], name="trail_file_read_at"),
            models.Index(fields=["read_at"], condition=~Q(reason=""), name="trail_file_quarantined"),
        ]

    def __str__(self) -> str:
        return self.name


class TrailCaller(models.Model):
    """A principal as named in events: a `callers.CallerKey` as a row.

    It is matched with the user or role of the mirror that has the same unique ID, or the same ARN if the
    event lacks the ID. The row doesn't say whether the mirror has it.
    """

    kind = models.CharField(max_length=16)
    account_id = models.CharField(max_length=12, blank=True)
    unique_id = models.CharField(max_length=256, blank=True)
    arn = models.CharField(max_length=2048, blank=True)
    name = models.CharField(max_length=256, blank=True)
    digest = models.CharField(max_length=32, unique=True, help_text="BLAKE2b-128 of the key.")

    class Meta:
        db_table = "activity_caller"
        indexes = [
            models.Index(fields=["unique_id"], name="caller_by_unique_id", condition=~Q(unique_id="")),
            models.Index(fields=["arn"], name="caller_by_arn", condition=~Q(arn="")),
            models.Index(fields=["account_id", "kind"], name="caller_by_account"),
        ]

    def __str__(self) -> str:
        return self.arn or f"{self.kind} {self.name or self.unique_id}"


class TrailEvent(models.Model):
    """A call to AWS. On PostgreSQL the table is partitioned by month.

    `account_id` is the account whose trail recorded it. `action` is the permission's name without the
    service. `person` is the user behind the session in the identity provider or in IAM Identity Center. `raw`
    is the event as JSON without secrets, empty if the setting keeps none. `file_id` is the TrailFile that
    delivered it first.
    """

    pk = models.CompositePrimaryKey("at", "event_id")
    at = models.DateTimeField()
    event_id = models.UUIDField()
    account_id = models.CharField(max_length=12)
    region = models.CharField(max_length=32, blank=True)
    service = models.CharField(max_length=64)
    action = models.CharField(max_length=128)
    caller = models.ForeignKey(
        TrailCaller, db_constraint=False, db_index=False, on_delete=models.DO_NOTHING, related_name="events"
    )
    session_name = models.CharField(max_length=256, blank=True)
    access_key = models.CharField(max_length=128, blank=True)
    source_identity = models.CharField(max_length=256, blank=True)
    person = models.CharField(max_length=256, blank=True)
    instance_id = models.CharField(max_length=64, blank=True)
    mfa = models.BooleanField(null=True)
    source_address = models.CharField(max_length=64, blank=True)
    tool = models.CharField(max_length=64, blank=True)
    error_code = models.CharField(max_length=128, blank=True)
    is_denied = models.BooleanField()
    is_read_only = models.BooleanField(null=True)
    resource = models.CharField(max_length=2048, blank=True)
    raw = models.TextField(blank=True)
    file_id = models.BigIntegerField()

    class Meta:
        db_table = "activity_event"
        indexes = [
            models.Index(fields=["caller", "at", "event_id"], name="event_by_caller"),
            models.Index(fields=["account_id", "at", "event_id"], name="event_by_account"),
            models.Index(
                fields=["caller", "at", "event_id"], name="event_denied", condition=Q(is_denied=True)
            ),
            models.Index(
                fields=["account_id", "at"],
                name="event_changes_iam",
                condition=Q(service="iam", is_read_only=False),
            ),
            models.Index(fields=["access_key", "at"], name="event_by_key", condition=~Q(access_key="")),
        ]

    def __str__(self) -> str:
        return f"{self.service}:{self.action} at {self.at}"


class CallerDay(models.Model):
    """The number of a principal's calls of an action in an account on a day (UTC)."""

    caller = models.ForeignKey(TrailCaller, on_delete=models.CASCADE, db_index=False, related_name="days")
    account_id = models.CharField(max_length=12)
    day = models.DateField()
    service = models.CharField(max_length=64)
    action = models.CharField(max_length=128)
    calls = models.PositiveBigIntegerField()
    errors = models.PositiveBigIntegerField(help_text="Calls that failed, denied ones included.")
    denied = models.PositiveBigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        db_table = "activity_day"
        constraints = [
            models.UniqueConstraint(
                fields=["caller", "day", "service", "action", "account_id"], name="one_row_per_caller_day"
            )
        ]
        indexes = [models.Index(fields=["account_id", "day"], name="caller_day_by_account")]

    def __str__(self) -> str:
        return f"{self.service}:{self.action} on {self.day}"


class CallerAction(models.Model):
    """The number of a principal's calls of an action in all accounts and on all days that are kept. It is the
    sum of the CallerDay rows, so that a page needn't add them up.
    """

    caller = models.ForeignKey(TrailCaller, on_delete=models.CASCADE, db_index=False, related_name="actions")
    service = models.CharField(max_length=64)
    action = models.CharField(max_length=128)
    calls = models.PositiveBigIntegerField()
    errors = models.PositiveBigIntegerField(help_text="Calls that failed, denied ones included.")
    denied = models.PositiveBigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        db_table = "activity_action"
        constraints = [
            models.UniqueConstraint(fields=["caller", "service", "action"], name="one_row_per_caller_action")
        ]

    def __str__(self) -> str:
        return f"{self.service}:{self.action}"


class CallerAddress(models.Model):
    """An address from which a principal called, as in the event: an IP address or an AWS service."""

    caller = models.ForeignKey(
        TrailCaller, on_delete=models.CASCADE, db_index=False, related_name="addresses"
    )
    address = models.CharField(max_length=64)
    calls = models.PositiveBigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        db_table = "activity_address"
        constraints = [
            models.UniqueConstraint(fields=["caller", "address"], name="one_row_per_caller_address")
        ]

    def __str__(self) -> str:
        return self.address


class AddressDay(models.Model):
    """The number of calls on a day (UTC) from an IP address by an access key of an IAM user, or by an EC2
    instance with its role.

    `credential` is the ID of the key (AKIA…) or of the instance (i-…). `caller` is the user or the role.
    """

    caller = models.ForeignKey(
        TrailCaller, on_delete=models.CASCADE, db_index=False, related_name="address_days"
    )
    credential = models.CharField(max_length=128)
    address = models.CharField(max_length=64)
    day = models.DateField()
    calls = models.PositiveBigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        db_table = "activity_address_day"
        constraints = [
            models.UniqueConstraint(
                fields=["caller", "credential", "address", "day"], name="one_row_per_address_day"
            )
        ]
        indexes = [
            models.Index(fields=["address", "day"], name="address_day_by_address"),
            models.Index(
                fields=["address", "day"],
                name="address_day_of_instances",
                condition=Q(credential__startswith="i-"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.credential} from {self.address} on {self.day}"


class RoleUser(models.Model):
    """A user of a role by single sign-on, as named in events; without a role, a user who signed in.

    `name` is the session name or source identity, in lower case, if it identifies a person: see
    `role_users.users_of`. `person` is the user in IAM Identity Center or in the identity provider.
    """

    role_arn = models.CharField(max_length=2048, blank=True)
    name = models.CharField(max_length=256, blank=True)
    person = models.CharField(max_length=256, blank=True)
    last_at = models.DateTimeField()

    class Meta:
        db_table = "activity_role_user"
        constraints = [
            models.UniqueConstraint(fields=["role_arn", "name", "person"], name="one_row_per_role_user")
        ]
        indexes = [
            models.Index(fields=["name"], name="role_user_by_name", condition=~Q(name="")),
            models.Index(fields=["person"], name="role_user_by_person", condition=~Q(person="")),
        ]

    def __str__(self) -> str:
        return f"{self.name or self.person} as {self.role_arn}"
