"""Models of access grants: the grant, its versions, its parts in accounts, and the ledger of permissions."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from iam.access.grants.terms import GrantTerms
from iam.changes.models import AppendOnlyRow, Change, ChangeSet
from iam.mirror.models import Account, Entity


class GrantState(models.TextChoices):
    """The status of a grant, or of its part in one account."""

    PREPARING = "preparing", "Preparing"
    WAITING = "waiting", "Waiting for approval"
    APPLYING = "applying", "Setting up"
    ACTIVE = "active", "Active"
    PARTLY = "partly", "Partly active"
    ENDING = "ending", "Ending"
    ENDED = "ended", "Ended"
    FAILED = "failed", "Failed"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"
    REFUSED = "refused", "Not submitted"


LIVING = (GrantState.APPLYING, GrantState.ACTIVE, GrantState.PARTLY, GrantState.ENDING)
"""The states in which AWS may still have permissions of the grant."""
GIVING = (GrantState.ACTIVE, GrantState.PARTLY)
ENDING = "grant-end"
"""The cause kind of a change set that removes what a grant gave."""
CUTTING = "grant-cut"
"""The cause kind of a change set that ends sessions that outlived a grant."""
FINAL_STATES = (
    GrantState.ENDED,
    GrantState.FAILED,
    GrantState.REJECTED,
    GrantState.WITHDRAWN,
    GrantState.EXPIRED,
    GrantState.REFUSED,
)
"""The states that never change without someone's action."""


class Grant(models.Model):
    """A request for access and what became of it: who gets what, in which accounts, until when and why. Never
    deleted.

    `terms` are in force now (`iam.access.grants.terms`). `state` is derived from the parts and stored for
    lists. `begins_at` is the approval. `ends_at` is the end date (None: permanent; while waiting, it assumes
    approval at the time of the request). `planned_end` is the end date written in the requested policies.
    `ended_at` is when the last permission was removed. `warned_for` is the end date that people were warned
    of.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=512)
    terms = models.JSONField()
    who_kind = models.CharField(max_length=16)
    what_kind = models.CharField(max_length=16)
    template = models.CharField(max_length=64, blank=True)
    template_version = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=16, choices=GrantState.choices, default=GrantState.WAITING)
    idempotency_key = models.CharField(max_length=128, unique=True)
    requested_by = models.UUIDField()
    requested_label = models.CharField(max_length=128)
    begins_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    planned_end = models.DateTimeField(null=True)
    extends_to = models.DateTimeField(null=True, help_text="The later end that is asked for.")
    ended_at = models.DateTimeField(null=True)
    warned_for = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="grant_newest"),
            models.Index(fields=["state", "-created_at", "-id"], name="grant_newest_state"),
            models.Index(fields=["requested_by", "-created_at"], name="grant_by_requester"),
            models.Index(
                fields=["ends_at"], condition=Q(state__in=["active", "partly"]), name="grant_ending"
            ),
            models.Index(
                fields=["template", "template_version"], condition=~Q(template=""), name="grant_by_template"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference}: {self.title}"

    @property
    def reference(self) -> str:
        """The short name that people use; it starts the id, so that a search can find it."""
        return f"GRT-{self.id.hex[:8].upper()}"

    @property
    def agreed(self) -> GrantTerms:
        """The terms in force, parsed."""
        return GrantTerms.from_json(self.terms)

    @property
    def is_over(self) -> bool:
        """True if the grant is in a final state."""
        return self.state in FINAL_STATES


class GrantPreparation(models.Model):
    """A submitted grant that takes too long to plan within a page request; a worker plans and requests it,
    once.

    `accepts_end`: the requester accepts that a part ends only while Gatehouse runs. `problems` are sentences
    on why it could not be requested.
    """

    grant = models.OneToOneField(
        Grant, on_delete=models.PROTECT, primary_key=True, related_name="preparation"
    )
    accepts_end = models.BooleanField(default=False)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    problems = models.JSONField(default=list)

    class Meta:
        db_table = "grants_preparation"

    def __str__(self) -> str:
        return f"preparation of {self.grant_id}"


class GrantAct(models.TextChoices):
    """The actions that the history of a grant records."""

    ASKED = "asked", "Requested"
    REDUCED = "reduced", "Reduced"
    EXTENDED = "extended", "Extension requested"
    RENEWED = "renewed", "Extended"
    SHORTENED = "shortened", "Shortened"
    RETRIED = "retried", "Retried"
    ENDED = "ended", "Ended early"
    RAN_OUT = "ran_out", "Ran out"
    RETURNED = "returned", "Restored"
    FOLLOWED = "followed", "Updated to a template version"
    WITHDRAWN = "withdrawn", "Withdrawn"


class GrantVersion(AppendOnlyRow):
    """One action on a grant: who did it and why, with the resulting terms. Append-only."""

    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    act = models.CharField(max_length=16, choices=GrantAct.choices)
    terms = models.JSONField()
    by_id = models.UUIDField(null=True)
    by_label = models.CharField(max_length=128)
    reason = models.CharField(max_length=1024, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["grant", "number"], name="one_version_per_number")]

    def __str__(self) -> str:
        return f"{self.grant_id} {self.number}: {self.act}"


class GrantPart(models.Model):
    """A grant in one account: the way its access is given there, and its status.

    `plan` is what was shown before approval (`plans.PartPlan.body`). `change_set` gives the access,
    `retry_set` retries its failed changes, `extending_set` moves the end date later, `ending_set` removes the
    access. `lane` tells the part's changes from those of other parts in the same set.
    """

    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="parts")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    lane = models.PositiveSmallIntegerField(default=0)
    way = models.CharField(max_length=24)
    plan = models.JSONField(default=dict)
    state = models.CharField(max_length=16, choices=GrantState.choices, default=GrantState.WAITING)
    change_set = models.ForeignKey(ChangeSet, on_delete=models.PROTECT, related_name="+")
    retry_set = models.ForeignKey(ChangeSet, on_delete=models.PROTECT, null=True, related_name="+")
    ending_set = models.ForeignKey(ChangeSet, on_delete=models.PROTECT, null=True, related_name="+")
    extending_set = models.ForeignKey(ChangeSet, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    trouble = models.CharField(
        max_length=1024,
        blank=True,
        help_text="Why its end could not even be begun, when that was last tried.",
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["grant", "account"], name="one_part_per_account")]
        indexes = [models.Index(fields=["grant"], condition=Q(state="ending"), name="part_ending")]

    def __str__(self) -> str:
        return f"{self.grant_id} in {self.account_id}"


class PermissionSort(models.TextChoices):
    """The AWS type of a permission."""

    MEMBER = "member", "Membership of a group"
    ATTACHED = "attached", "Attached policy"
    INLINE = "inline", "Inline policy"
    TRUST = "trust", "Statement of a trust policy"
    POLICY = "policy", "Policy created for the grant"
    ROLE = "role", "Role created for the grant"


class LedgerEntry(models.Model):
    """A reason for a permission: because of a part of a grant, `holder_arn` has `target`.

    The holder is a user, group, role or created policy. `target` is the ARN of a group or policy, the name of
    an inline policy, or the Sid of a statement. ARNs are those of the request; `entity` (the holder) and
    `target_entity` (the group or policy) survive renaming and never mean another entity that gets the name
    later.

    `since` is when AWS had the permission for this reason (None: not yet), `until` when the reason ended.
    `change` gives the permission, `ended_by` removes it. `stood_before` is true if the permission existed
    without any grant, so that no grant's end removes it.
    """

    part = models.ForeignKey(GrantPart, on_delete=models.PROTECT, related_name="entries")
    account = models.ForeignKey(Account, db_index=False, on_delete=models.PROTECT, related_name="+")
    entity = models.ForeignKey(Entity, db_index=False, on_delete=models.PROTECT, null=True, related_name="+")
    target_entity = models.ForeignKey(
        Entity, db_index=False, on_delete=models.PROTECT, null=True, related_name="+"
    )
    holder_arn = models.CharField(max_length=2048)
    sort = models.CharField(max_length=12, choices=PermissionSort.choices)
    target = models.CharField(max_length=2048)
    change = models.ForeignKey(Change, db_index=False, on_delete=models.PROTECT, null=True, related_name="+")
    ended_by = models.ForeignKey(
        Change, db_index=False, on_delete=models.PROTECT, null=True, related_name="+"
    )
    stood_before = models.BooleanField(default=False)
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["part", "account", "holder_arn", "sort", "target"],
                condition=Q(until__isnull=True),
                name="one_open_reason",
            )
        ]
        indexes = [
            models.Index(fields=["account", "holder_arn", "sort", "target"], name="entry_by_permission"),
            models.Index(fields=["entity", "since"], name="entry_by_entity"),
            models.Index(fields=["change"], name="entry_by_change"),
        ]

    def __str__(self) -> str:
        return f"{self.holder_arn} {self.sort} {self.target}"
