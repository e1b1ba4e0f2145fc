"""Models of approval: versions of the rules, requirements of waiting sets, and uses of break-glass."""

from __future__ import annotations

import uuid
from typing import Final

from django.db import models
from django.db.models import Q

from iam.changes.approval.rules import ApprovalNeed, ApprovalRule, ApprovalStage, ApproverSpec
from iam.changes.models import ChangeSet

OWN_DEVICE: Final = "One’s own MFA device"
"""The rule name of requests for a person's own device, which need no approval."""


class RulesState(models.TextChoices):
    """The status of a version of the rules."""

    DRAFT = "draft", "Draft"
    PROPOSED = "proposed", "Waiting for approval"
    ACTIVE = "active", "In force"
    SUPERSEDED = "superseded", "Replaced"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"


class RuleSet(models.Model):
    """One version of all rules, in order: a draft, a proposal, or rules that are or were in force.

    `number` counts the versions that came into force; 0 until then. `base` is the number of the version that
    was edited (0: the default rules). `is_alone` is true if there was no second person to approve it.
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
        """The parsed rules, in order."""
        return tuple(ApprovalRule.from_json(rule) for rule in self.body)


class Requirement(models.Model):
    """The approvals that a set needs, fixed when it was requested or its receipt last changed.

    `stage` is the index of the waiting stage, `digest` that of the receipt to approve. `remind_at` and
    `escalate_at` are the next times for Gatehouse to act; None if never.
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
        """The requirement as an ApprovalNeed."""
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
    """Someone who can decide the waiting stage of a set, one row each, so that an inbox is a
    database query.
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
    """The result of a break-glass review."""

    ACCEPT = "accept", "Accepted"
    UNDO = "undo", "To be undone"


class BreakGlass(models.Model):
    """A set that was applied without approval, with the reason and the later review."""

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
