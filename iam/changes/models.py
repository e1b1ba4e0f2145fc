"""Models of the change pipeline: changes, the sets in which they are approved, approvals, and the
timeline.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any, NoReturn

from django.db import models
from django.db.models import Q

from iam.mirror.models import Account, Entity


class ChangeState(models.TextChoices):
    """The status of a change; `iam.changes.states` has the allowed transitions."""

    DRAFT = "draft", "Draft"
    AWAITING = "awaiting_approval", "Waiting for approval"
    QUEUED = "queued", "In progress"
    APPLYING = "applying", "In progress"
    CONFIRMING = "confirming", "In progress"
    APPLIED = "applied", "Done"
    FAILED = "failed", "Failed"
    UNKNOWN = "unknown", "Unknown"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Withdrawn"
    EXPIRED = "expired", "Expired"


IN_FLIGHT = (ChangeState.APPLYING, ChangeState.CONFIRMING)
RUNNING = (ChangeState.QUEUED, *IN_FLIGHT)
OPEN = (ChangeState.AWAITING, *RUNNING)
LAST_BRANCH = 30_000
"""The branch that waits for all others of its lane."""
OF_GRANT = "grant"
"""The cause kind of sets that give or remove access of a grant."""
OF_OFFBOARDING = "leaving"
"""The cause kind of sets that offboard people."""


class ChangeSet(models.Model):
    """Changes that are approved together and applied in order; people call a set a request.

    `title` names it (`iam.changes.titles`), `summary` says what it does where (`iam.changes.summary`),
    `receipt` holds its combined effect (`iam.changes.impact`). `cause_kind` and `cause_id` refer to the
    object of a higher layer that it belongs to, such as a grant. `notes` are the warnings that approvers
    accept with it (`iam.changes.warnings`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=512, blank=True, default="")
    receipt = models.JSONField(default=dict)
    notes = models.JSONField(default=list)
    summary = models.JSONField(default=list)
    cause_kind = models.CharField(max_length=32, blank=True, default="")
    cause_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["cause_kind", "cause_id"], condition=~Q(cause_kind=""), name="change_set_by_cause"
            )
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_of_grant(self) -> bool:
        """True if the set belongs to an access grant."""
        return self.cause_kind == OF_GRANT

    @property
    def may_be_so_already(self) -> bool:
        """True if AWS may already be in the desired state, as after the suspension of a person who is then
        offboarded.
        """
        return self.cause_kind in (OF_GRANT, OF_OFFBOARDING)

    @property
    def receipt_digest(self) -> str:
        """The digest that an approver approves: of all receipts in order, their combined effect, and the
        notes.
        """
        digests = list(self.changes.order_by("position").values_list("receipt_digest", flat=True))
        if self.receipt:
            digests.append(self.receipt["digest"])
        if self.notes:
            notes = json.dumps(self.notes)
            digests.append(hashlib.sha256(notes.encode()).hexdigest())
        return hashlib.sha256(",".join(digests).encode()).hexdigest()


def reference_of(pk: uuid.UUID) -> str:
    """The short reference of a change that people use, such as CHG-9DA136C6."""
    return f"CHG-{pk.hex[:8].upper()}"


class Change(models.Model):
    """One write to AWS, from request to confirmation. The row is also the outbox: the runner finds due work
    here.

    `position` is its place in the set. Within a `lane` it waits for earlier changes in its `branch` and in
    branch 0, the trunk (in the last branch, for all others of the lane), and ends if they fail. Lanes are
    independent. `entity` is the mirror's row of the subject. `params` are the operation's parameters.
    `before` and `after` are states as `Operation.observe` returns them.

    `due_at` is when the runner next handles the row: to begin a queued change, or to read a confirming one
    again. `attempts` counts the claims and is the fence: a worker that lost its claim finds another number
    and stops. `sent_at` is set before the first call of an attempt: from then on AWS may have changed.
    `calls` holds service, operation, params, sentence and result of each call.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    change_set = models.ForeignKey(ChangeSet, on_delete=models.PROTECT, related_name="changes")
    position = models.PositiveSmallIntegerField(default=0)
    lane = models.PositiveSmallIntegerField(default=0)
    branch = models.PositiveSmallIntegerField(default=0)
    operation = models.CharField(max_length=64)
    title = models.CharField(max_length=512)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="changes")
    entity = models.ForeignKey(Entity, on_delete=models.PROTECT, null=True, related_name="+")
    subject_kind = models.CharField(max_length=20)
    subject_id = models.CharField(max_length=512, help_text="The unique id that AWS gave the subject.")
    subject_arn = models.CharField(max_length=2048)
    params = models.JSONField()
    before = models.JSONField()
    after = models.JSONField()
    receipt = models.JSONField()
    receipt_digest = models.CharField(max_length=64)
    state = models.CharField(max_length=20, choices=ChangeState.choices, default=ChangeState.DRAFT)
    idempotency_key = models.CharField(max_length=128, unique=True)
    requested_by = models.UUIDField()
    requested_label = models.CharField(max_length=128)
    reason = models.CharField(max_length=1024)
    reverts = models.ForeignKey(
        "self", db_index=False, on_delete=models.PROTECT, null=True, related_name="reverted_by"
    )

    not_before = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(
        null=True, help_text="When an unanswered or unbegun change ends by itself."
    )
    due_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    reads = models.PositiveSmallIntegerField(
        default=0, help_text="Observations since AWS accepted the calls."
    )
    sent_at = models.DateTimeField(null=True)
    already_so = models.BooleanField(default=False, help_text="AWS was as wanted before anything was called.")

    calls = models.JSONField(default=list)
    results = models.JSONField(
        default=dict, help_text="What of AWS's answers is kept, such as ids; never a secret."
    )
    request_ids = models.JSONField(default=list)
    error_kind = models.CharField(max_length=16, blank=True)
    error_message = models.CharField(max_length=2048, blank=True)

    created_at = models.DateTimeField(auto_now_add=True)
    requested_at = models.DateTimeField(null=True)
    queued_at = models.DateTimeField(null=True)
    applying_at = models.DateTimeField(null=True)
    confirming_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Confirming counts too: otherwise the second change could read a state in which AWS does not show
            # the first one yet.
            models.UniqueConstraint(
                fields=["account", "subject_id"],
                condition=Q(state__in=["applying", "confirming"]),
                name="one_change_in_flight_per_subject",
            ),
            models.UniqueConstraint(fields=["change_set", "position"], name="one_change_per_position"),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(state__in=["queued", "confirming"]), name="change_due"
            ),
            models.Index(fields=["lease_until"], condition=Q(state="applying"), name="change_leased"),
            models.Index(
                fields=["account", "subject_id"], condition=Q(state="queued"), name="change_of_same_subject"
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(state__in=["awaiting_approval", "queued"]),
                name="change_expiring",
            ),
            # Includes the columns that decide visibility, so that long rows of hidden changes need not be
            # read.
            models.Index(
                fields=["-created_at", "-id", "state", "requested_by", "entity"], name="change_newest"
            ),
            models.Index(fields=["account", "-created_at", "-id"], name="change_newest_account"),
            models.Index(fields=["state", "-created_at", "-id"], name="change_newest_state"),
            models.Index(fields=["requested_by", "-created_at"], name="change_by_requester"),
            models.Index(fields=["entity", "-created_at"], name="change_by_subject"),
            # Finds our own calls in a period, for every difference that no change explains.
            models.Index(
                fields=["account", "sent_at", "created_at"],
                condition=Q(sent_at__isnull=False),
                name="change_sent",
            ),
            # Partial, because few changes undo another: in a full index, the planner would overlook it.
            models.Index(fields=["reverts"], condition=Q(reverts__isnull=False), name="change_undoing"),
        ]

    def __str__(self) -> str:
        return f"{self.reference}: {self.title}"

    @property
    def reference(self) -> str:
        """The short reference that people use; it starts the id, so that a search can find it."""
        return reference_of(self.id)

    @property
    def is_running(self) -> bool:
        """True if a worker is applying it or will."""
        return self.state in RUNNING

    @property
    def is_final(self) -> bool:
        """True if its state is final."""
        return self.state not in OPEN and self.state != ChangeState.DRAFT

    @property
    def group_name(self) -> str:
        """The group of a membership change; "" for others."""
        return str(self.params.get("group_name", ""))


class Decision(models.TextChoices):
    """The decisions of approvers."""

    APPROVE = "approve", "Approved"
    REJECT = "reject", "Rejected"


class _AppendOnlyQuerySet(models.QuerySet[Any]):
    """A queryset that refuses updates and deletions."""

    def update(self, **_: Any) -> NoReturn:
        raise TypeError("These rows are only ever added.")

    def delete(self) -> NoReturn:
        raise TypeError("These rows are only ever added.")


class AppendOnlyRow(models.Model):
    """The base class of rows that are written once and never changed or deleted."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("This row was written already and stays as it is.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("This row stays.")


class _AddedRow(AppendOnlyRow):
    objects = _AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True


class Approval(_AddedRow):
    """One decision of one person on a set; `receipt_digest` is the receipt they saw."""

    change_set = models.ForeignKey(ChangeSet, on_delete=models.PROTECT, related_name="approvals")
    approver_id = models.UUIDField()
    approver_label = models.CharField(max_length=128)
    decision = models.CharField(max_length=8, choices=Decision.choices)
    comment = models.CharField(max_length=1024, blank=True)
    receipt_digest = models.CharField(max_length=64)
    stage = models.PositiveSmallIntegerField(
        default=0, help_text="The place of the stage that it was given in."
    )
    is_own_request = models.BooleanField(
        default=False, help_text="Single-operator mode: requester and approver are one."
    )
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["change_set", "approver_id", "decision", "receipt_digest"], name="one_decision_each"
            )
        ]
        indexes = [models.Index(fields=["approver_id", "-at"], name="approval_by_approver")]

    def __str__(self) -> str:
        return f"{self.decision} by {self.approver_label}"


class ChangeEvent(_AddedRow):
    """One line of a change's timeline; `kind` is the new state or another event."""

    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=32)
    actor_id = models.UUIDField(null=True)
    actor_label = models.CharField(max_length=128)
    note = models.CharField(max_length=2048, blank=True)

    class Meta:
        indexes = [models.Index(fields=["change", "id"], name="event_of_change")]

    def __str__(self) -> str:
        return f"{self.kind} by {self.actor_label}"
