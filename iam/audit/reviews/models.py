"""Models of access reviews: campaigns, accesses, rows, requested changes, trial revocations and
separation-of-duties rules.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from iam.audit.approval_requests.requests import DecidedRequest
from iam.changes.models import Change
from iam.mirror.models import Account, Entity
from iam.people.runs.models import AbstractListRun

OF_REVIEW = "review"
"""The cause kind of change sets that a review requests or uses to restore access."""


class ReviewScope(models.TextChoices):
    """Which access is reviewed."""

    EVERYTHING = "all", "Everything"
    CHANGED = "changed", "Only what changed since its last review"
    UNUSED = "unused", "Only what wasn’t used in 90 days, or whose use is unknown"


class ReviewerRule(models.TextChoices):
    """Who reviews."""

    TEAM_LEAD = "lead", "The lead of the person’s team"
    OWNER = "owner", "The lead of the team that owns it"
    NAMED = "named", "One person"


class OverdueAction(models.TextChoices):
    """What happens to undecided rows after the due date."""

    REMIND = "remind", "Remind the reviewers every day"
    ESCALATE = "escalate", "Assign it to the second reviewer"
    REVOKE = "revoke", "Request that the access is revoked"


class ReviewCampaign(AbstractListRun):
    """A review of access.

    `terms` is the JSON of ReviewTerms. The states: a draft; `SUBMITTING` while a worker writes the rows;
    `RUNNING` while reviewers decide; `WAITING` until the sign-off is acknowledged; `DONE` when frozen;
    `CLOSED` if cancelled or without rows.

    `cursor` is the primary key of the last user or role whose rows are written. `next_at` is when the next
    review of a series begins.
    """

    prefix = "REV"

    name = models.CharField(max_length=120)
    terms = models.JSONField()
    owner_id = models.UUIDField()
    reviewer_id = models.UUIDField()
    second_reviewer_id = models.UUIDField()
    due_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True)
    series = models.UUIDField(default=uuid.uuid4)
    cursor = models.BigIntegerField(default=0)
    is_complete = models.BooleanField(default=False)
    facts = models.JSONField(default=dict)
    decided = models.PositiveIntegerField(default=0, help_text="How many of its rows are decided.")
    opened_at = models.DateTimeField(null=True)
    overdue_at = models.DateTimeField(null=True)
    signed_by = models.UUIDField(null=True)
    signed_name = models.CharField(max_length=128, blank=True)
    signed_at = models.DateTimeField(null=True)
    signed_note = models.CharField(max_length=1000, blank=True)
    acknowledged_by = models.UUIDField(null=True)
    acknowledged_name = models.CharField(max_length=128, blank=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_note = models.CharField(max_length=1000, blank=True)
    returned_by = models.UUIDField(null=True, help_text="Who sent it back last, instead of acknowledging it.")
    returned_name = models.CharField(max_length=128, blank=True)
    returned_at = models.DateTimeField(null=True)
    returned_note = models.CharField(max_length=1000, blank=True)
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of its rows when it was frozen.")

    class Meta:
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="review_newest"),
            models.Index(fields=["state", "due_at"], name="review_due"),
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="review_next"),
        ]


class ReviewAccess(models.Model):
    """What an access allowed when the campaign opened, in sentences, shared by many rows.

    `key` is a digest of the policies. `lines` are sentences, `more` counts further ones, and `unread` counts
    policies that aren't synced. `texts` are the policies.
    """

    campaign = models.ForeignKey(ReviewCampaign, on_delete=models.CASCADE, related_name="accesses")
    key = models.CharField(max_length=32)
    lines = models.JSONField(default=list)
    more = models.PositiveIntegerField(default=0)
    warning = models.CharField(max_length=300, blank=True)
    unread = models.PositiveIntegerField(default=0)
    texts = models.JSONField(default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "key"], name="one_access_of_a_key")]

    def __str__(self) -> str:
        return self.key


class SubjectKind(models.TextChoices):
    """The kinds of subjects."""

    PERSON = "person", "Person"
    MACHINE = "machine", "Machine user"
    WORKLOAD = "workload", "Service role"
    THIRD_PARTY = "third", "Third party"
    ROLE = "role", "Role"


class AccessSort(models.TextChoices):
    """The ways in which a subject has access."""

    MEMBER = "member", "Group"
    ATTACHED = "attached", "Managed policy"
    INLINE = "inline", "Inline policy"


class UseState(models.TextChoices):
    """The use according to activity data. Unknown: no trail of the account is read."""

    USED = "used", "Used"
    UNUSED = "unused", "No use recorded"
    UNKNOWN = "unknown", "Unknown"


class ReviewDecision(models.TextChoices):
    """The possible decisions."""

    OPEN = "", "Not decided"
    KEEP = "keep", "Keep"
    REVOKE = "revoke", "Revoke"
    REDUCE = "reduce", "Reduce to what was used"


class ReviewItem(models.Model):
    """A subject and one access of it. Everything except the decision is evidence from when the campaign
    opened.

    `version` counts the decisions; a decision states the version that the decider saw. `target` is the name
    of an inline policy, otherwise an ARN. `why` are the grants that explain the access. `replay` is the
    outcome of recorded calls without it ({} until a worker has calculated it).
    """

    campaign = models.ForeignKey(
        ReviewCampaign, db_index=False, on_delete=models.CASCADE, related_name="rows"
    )
    account = models.ForeignKey(Account, db_index=False, on_delete=models.PROTECT, related_name="+")
    entity = models.ForeignKey(Entity, db_index=False, on_delete=models.PROTECT, related_name="+")
    subject_kind = models.CharField(max_length=8, choices=SubjectKind.choices)
    subject = models.CharField(max_length=512)
    person_id = models.UUIDField(null=True)
    person_name = models.CharField(max_length=128, blank=True)
    is_administrator = models.BooleanField(default=False)
    sort = models.CharField(max_length=8, choices=AccessSort.choices)
    target = models.CharField(max_length=2048)
    target_name = models.CharField(max_length=512)
    target_entity = models.ForeignKey(
        Entity, db_index=False, on_delete=models.PROTECT, null=True, related_name="+"
    )
    access = models.ForeignKey(ReviewAccess, db_index=False, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(null=True)
    use = models.CharField(max_length=8, choices=UseState.choices)
    last_used_at = models.DateTimeField(null=True)
    why = models.JSONField(default=list)
    peers_of = models.CharField(max_length=128, blank=True)
    peers = models.PositiveIntegerField(default=0)
    peers_with = models.PositiveIntegerField(default=0)
    sod = models.JSONField(default=list)
    replay = models.JSONField(default=dict)
    reviewer_id = models.UUIDField(null=True)
    reviewer_name = models.CharField(max_length=128, blank=True)

    decision = models.CharField(max_length=8, choices=ReviewDecision.choices, blank=True, default="")
    decision_reason = models.CharField(max_length=1000, blank=True)
    decided_by = models.UUIDField(null=True)
    decided_name = models.CharField(max_length=128, blank=True)
    decided_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=0)
    is_requested = models.BooleanField(default=False)
    trouble = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "entity", "sort", "target"], name="one_review_row_of_an_access"
            )
        ]
        indexes = [
            models.Index(fields=["campaign", "subject", "id"], name="review_rows"),
            models.Index(fields=["campaign", "decision", "subject", "id"], name="review_rows_decided"),
            models.Index(fields=["campaign", "reviewer_id", "subject", "id"], name="review_rows_of_reviewer"),
            models.Index(fields=["entity", "campaign"], name="review_rows_of_entity"),
            models.Index(fields=["reviewer_id", "decision"], name="review_rows_waiting"),
            models.Index(fields=["campaign", "decided_by"], name="review_rows_of_decider"),
        ]

    def __str__(self) -> str:
        return f"{self.subject}: {self.target_name}"

    @property
    def who(self) -> str:
        """The display name of the subject: the name of the person if known."""
        return self.person_name or self.subject

    @property
    def title(self) -> str:
        """The subject and the access."""
        return f"{self.who}, {self.target_name}"


class ReviewChange(models.Model):
    """A change that was requested for a row, or that restores its access."""

    row = models.ForeignKey(ReviewItem, on_delete=models.CASCADE, related_name="changes")
    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="+")
    is_return = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["row", "change"], name="one_change_of_a_row")]

    def __str__(self) -> str:
        return f"{self.change_id} for {self.row_id}"


class ReviewTrial(models.Model):
    """A revocation on trial. It is restored by one click or, until `until`, if its principal is denied what
    it allowed.

    `began_at` is when the revocation took effect in AWS. `returned_at` is when the restoration was queued,
    and `denied` is the call that caused it.
    """

    row = models.OneToOneField(ReviewItem, on_delete=models.CASCADE, primary_key=True, related_name="trial")
    began_at = models.DateTimeField()
    until = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)
    returned_name = models.CharField(max_length=128, blank=True)
    denied = models.CharField(max_length=300, blank=True)
    trouble = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["until"], condition=Q(returned_at__isnull=True), name="review_trial_open")
        ]

    def __str__(self) -> str:
        return f"until {self.until}"


class SodStatus(models.TextChoices):
    """Whether a separation-of-duties rule is active."""

    REQUESTED = "requested", "Waiting for approval"
    ACTIVE = "active", "Active"
    RETIRED = "retired", "Retired"
    DECLINED = "declined", "Declined"


class SodRule(DecidedRequest):
    """A rule that no one may do both of two things.

    `terms` is the JSON of SodTerms. `retirement_reason` is set while its retirement is requested, by
    `requested_by`.
    """

    name = models.CharField(max_length=120)
    terms = models.JSONField()
    status = models.CharField(max_length=10, choices=SodStatus.choices, default=SodStatus.REQUESTED)
    requested_name = models.CharField(max_length=128)
    retirement_reason = models.CharField(max_length=1000, blank=True)
    decided_name = models.CharField(max_length=128, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                condition=Q(status__in=("requested", "active")),
                name="one_sod_rule_of_a_name",
            )
        ]

    def __str__(self) -> str:
        return self.name
