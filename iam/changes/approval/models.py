"""The tables of approval: versions of the rules, what each waiting set must pass, and what went around it by
break-glass.
"""

from __future__ import annotations

import uuid
from typing import Final

from django.db import models
from django.db.models import Q

from iam.changes.approval.rules import ApprovalNeed, ApprovalRule, ApprovalStage, ApproverSpec
from iam.changes.models import ChangeSet

OWN_DEVICE: Final = "One’s own MFA device"
"""The reason for which a request needs no approval that a person makes for a device of their own."""


class RulesState(models.TextChoices):
    """Where a version of the rules stands."""

    DRAFT = "draft", "Draft"
    PROPOSED = "proposed", "Waiting for approval"
    ACTIVE = "active", "In force"
    SUPERSEDED = "superseded", "Replaced"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"


class RuleSet(models.Model):
    """One version of all rules, in their order: a draft of its author, a proposal, or what is or was in
    force.

    `number` counts the versions that came into force; 0 until then. `base` is the number of the version that
    the author changed; 0 stands for the rules that are shipped. `is_alone`: nobody else was there to decide.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField(default=0)
    base = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=12, choices=RulesState.choices, default=RulesState.DRAFT)
    body = models.JSONField()
    reason = models.CharField(max_length=1024, blank=True)
    author_id = models.UUIDField()
    author_label = models.CharField(max_length=128)
    created_at = models.DateTimeField(auto_now_add=True)
    proposed_at = models.DateTimeField(null=True)
    decided_by = models.UUIDField(null=True)
    decided_label = models.CharField(max_length=128, blank=True)
    decided_at = models.DateTimeField(null=True)
    comment = models.CharField(max_length=1024, blank=True)
    is_alone = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="active"), name="one_version_of_the_rules_in_force"
            ),
            models.UniqueConstraint(
                fields=["number"], condition=Q(number__gt=0), name="one_version_of_the_rules_per_number"
            ),
            models.UniqueConstraint(
                fields=["author_id"], condition=Q(state="draft"), name="one_draft_of_the_rules_per_author"
            ),
        ]

    def __str__(self) -> str:
        return f"rules {self.number or self.state}"

    @property
    def rules(self) -> tuple[ApprovalRule, ...]:
        """The rules in their order."""
        return tuple(ApprovalRule.from_json(rule) for rule in self.body)


class Requirement(models.Model):
    """What a set has to pass, as the rules said when it was asked for (or when its receipt changed last).

    `stage` is the place of the stage that waits; `digest` the receipt that approvers have to agree to.
    `remind_at` and `escalate_at` are when Gatehouse has to act next; null: never again.
    """

    change_set = models.OneToOneField(
        ChangeSet, on_delete=models.CASCADE, primary_key=True, related_name="requirement"
    )
    digest = models.CharField(max_length=64)
    version = models.PositiveIntegerField(default=0)
    stages = models.JSONField()
    because = models.JSONField(default=list)
    notes = models.JSONField(default=list)
    stage = models.PositiveSmallIntegerField(default=0)
    wait_hours = models.PositiveIntegerField()
    remind_hours = models.PositiveIntegerField(default=0)
    escalate_to = models.JSONField(default=list)
    break_glass = models.JSONField(default=list)
    remind_at = models.DateTimeField(null=True)
    escalate_at = models.DateTimeField(null=True)
    reminded = models.PositiveSmallIntegerField(default=0)
    escalated_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["remind_at"], condition=Q(remind_at__isnull=False), name="approval_remind"),
            models.Index(
                fields=["escalate_at"], condition=Q(escalate_at__isnull=False), name="approval_escalate"
            ),
        ]

    def __str__(self) -> str:
        return f"stage {self.stage + 1} of {len(self.stages)}"

    @property
    def need(self) -> ApprovalNeed:
        """As the rules speak of it."""
        return ApprovalNeed(
            stages=tuple(ApprovalStage.from_json(stage) for stage in self.stages),
            because=tuple(self.because),
            wait_hours=self.wait_hours,
            remind_hours=self.remind_hours,
            escalate_to=tuple(ApproverSpec(**who) for who in self.escalate_to),
            break_glass=tuple(ApproverSpec(**who) for who in self.break_glass),
            notes=tuple(self.notes),
        )


class StageDecider(models.Model):
    """Who may decide the stage of a set that waits, one row each, so that an inbox finds its sets in the
    database.
    """

    requirement = models.ForeignKey(Requirement, on_delete=models.CASCADE, related_name="ballots")
    kind = models.CharField(max_length=8)
    value = models.CharField(max_length=64)

    class Meta:
        db_table = "approval_ballot"
        constraints = [
            models.UniqueConstraint(fields=["requirement", "kind", "value"], name="one_ballot_each")
        ]
        indexes = [models.Index(fields=["kind", "value"], name="ballot_of_whom")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class ReviewVerdict(models.TextChoices):
    """What anyone who reviews a use of break-glass says of it."""

    ACCEPT = "accept", "Accepted"
    UNDO = "undo", "To be undone"


class BreakGlass(models.Model):
    """A set that somebody had applied without approval, why, and who looked at it afterwards."""

    change_set = models.OneToOneField(
        ChangeSet, on_delete=models.PROTECT, primary_key=True, related_name="broken_glass"
    )
    used_by = models.UUIDField()
    used_label = models.CharField(max_length=128)
    reason = models.CharField(max_length=1024)
    at = models.DateTimeField(auto_now_add=True)
    reviewed_by = models.UUIDField(null=True)
    reviewed_label = models.CharField(max_length=128, blank=True)
    reviewed_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=8, choices=ReviewVerdict.choices, blank=True)
    comment = models.CharField(max_length=1024, blank=True)
    is_alone = models.BooleanField(default=False, help_text="Single-operator mode: reviewed by who used it.")
    remind_at = models.DateTimeField(
        null=True, help_text="When those who have to review it are told of it again."
    )
    reminded = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["at"], condition=Q(reviewed_at__isnull=True), name="glass_not_reviewed")
        ]

    def __str__(self) -> str:
        return f"break-glass by {self.used_label}"
