"""Models of findings, their history, acceptance requests, and the progress of calculation by account."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from iam.audit.approval_requests.requests import DecidedRequest, RequestState
from iam.mirror.models import Account, Entity


class FindingSeverity(models.IntegerChoices):
    """The severity of a finding, worst first."""

    CRITICAL = 0, "Critical"
    HIGH = 1, "High"
    MEDIUM = 2, "Medium"
    LOW = 3, "Low"


class FindingCertainty(models.TextChoices):
    """Whether a finding is certain. Conditional: unsynced data or values of the request could make
    it untrue.
    """

    CONFIRMED = "confirmed", "Confirmed"
    CONDITIONAL = "conditional", "Conditional"


class FindingStatus(models.TextChoices):
    """The status of a finding."""

    OPEN = "open", "Open"
    ACCEPTED = "accepted", "Accepted"
    FIXED = "fixed", "Fixed"


class AuditFinding(models.Model):
    """One problem with one cause.

    `key` is a digest of its kind, account, subject's unique id and cause, so that a recreated user is another
    finding.

    `subject` is an ARN or the account ID. `related` are ARNs; `affected` counts those concerned besides the
    subject. `reasons` say why it is conditional. `fix` has the slug of an action, initial values of its form,
    and the label. `changed_at` is the time of its last event, except for requests. `unread_since` is since
    when its data could not be synced, so that it is neither confirmed nor fixed. `last_seen` is stored when
    it disappears or can't be judged; until then every calculation sees it: `seen_at`.
    """

    key = models.CharField(max_length=32, unique=True)
    kind = models.CharField(max_length=64)
    account = models.ForeignKey(Account, db_index=False, on_delete=models.CASCADE, related_name="+")
    entity = models.ForeignKey(Entity, db_index=False, on_delete=models.CASCADE, null=True, related_name="+")
    subject = models.CharField(max_length=2048)
    name = models.CharField(max_length=512)
    cause = models.CharField(max_length=64, blank=True)
    severity = models.PositiveSmallIntegerField(choices=FindingSeverity.choices)
    certainty = models.CharField(max_length=12, choices=FindingCertainty.choices)
    status = models.CharField(max_length=8, choices=FindingStatus.choices, default=FindingStatus.OPEN)
    reasons = models.JSONField(default=list)
    evidence = models.JSONField(default=dict)
    related = models.JSONField(default=list)
    affected = models.PositiveIntegerField(default=0)
    fix = models.JSONField(default=dict)
    search = models.TextField(blank=True, help_text="What it is found by, in lower case.")
    stamp = models.CharField(max_length=32, blank=True, help_text="A digest of what was calculated.")
    place = models.CharField(max_length=600, help_text="Its place in the list: severity, kind, name.")
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    changed_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    unread_since = models.DateTimeField(null=True)
    accepted_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["status", "place", "id"], name="finding_list"),
            models.Index(fields=["account", "status", "place", "id"], name="finding_list_account"),
            models.Index(fields=["status", "changed_at", "id"], name="finding_changed"),
            models.Index(fields=["entity"], name="finding_of_entity"),
            models.Index(
                fields=["accepted_until"], name="finding_accepted", condition=Q(accepted_until__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

    @property
    def seen_at(self) -> datetime:
        """When it was last seen."""
        if self.status == FindingStatus.FIXED or self.unread_since:
            return self.last_seen
        run = getattr(self.account, "finding_run", None)
        return max(self.last_seen, (run and run.calculated_at) or self.last_seen)


class FindingEventKind(models.TextChoices):
    """The kinds of events in the history."""

    OPENED = "opened", "Opened"
    FIXED = "fixed", "Fixed"
    REOPENED = "reopened", "Opened again"
    REQUESTED = "requested", "Acceptance requested"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Acceptance declined"
    ENDED = "ended", "Acceptance ended"
    SEVERITY = "severity", "Severity changed"
    CERTAINTY = "certainty", "Certainty changed"
    AFFECTS = "affects", "Also affects"
    UNAFFECTED = "unaffected", "No longer affects"


class FindingEvent(models.Model):
    """An event in the history of a finding. `actor` is the requester or decider.

    `names` are the first of what the finding has come to affect, or no longer affects; `number` counts all.
    """

    finding = models.ForeignKey(AuditFinding, db_index=False, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=FindingEventKind.choices)
    actor = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=1000, blank=True)
    until = models.DateTimeField(null=True)
    names = models.JSONField(default=list)
    number = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["finding", "at"], name="finding_history"),
            models.Index(fields=["at", "kind"], name="finding_events"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at}"


class FindingVisit(models.Model):
    """When a person viewed the list of findings. The visit before this one defines "since my last visit"."""

    person_id = models.UUIDField(primary_key=True)
    at = models.DateTimeField()
    before = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.person_id} at {self.at}"


class FindingAcceptance(DecidedRequest):
    """A request to accept a finding until a date, and its decision, which is never made by the requester."""

    finding = models.ForeignKey(AuditFinding, on_delete=models.CASCADE, related_name="acceptances")
    state = models.CharField(max_length=10, choices=RequestState.choices, default=RequestState.REQUESTED)
    until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["finding"], condition=Q(state="requested"), name="one_requested_acceptance"
            )
        ]

    def __str__(self) -> str:
        return f"{self.finding_id} until {self.until}: {self.state}"


class FindingRun(models.Model):
    """The progress of an account's calculation.

    `inputs` is a digest of the data used, `writes` the number of writes to the mirror at that time. `lease`
    is held by one process until `lease_until`. `unread` are kinds that could not be judged. `told_at`: people
    were notified of everything up to this calculation.
    """

    account = models.OneToOneField(
        Account, primary_key=True, on_delete=models.CASCADE, related_name="finding_run"
    )
    inputs = models.CharField(max_length=32, blank=True)
    writes = models.BigIntegerField(null=True)
    calculated_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0)
    unread = models.JSONField(default=list)
    lease = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"findings of {self.account_id}"
