"""A campaign and its participants. Who has MFA by now is read from the mirror, and not kept here."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from iam.changes.models import ChangeSet
from iam.directory.models import Person, Team
from iam.mirror.models import Account, Entity

OF_CAMPAIGN = "mfa_campaign"
"""The kind of cause of the sets that a campaign asks for."""


class CampaignEnding(models.TextChoices):
    """What happens to those who have no MFA when the campaign is due."""

    NOTIFY = "notify", "Send me the list"
    RESTRICT = "restrict", "Request a policy that requires MFA"
    DISABLE = "disable", "Request deletion of their console passwords"


class CampaignState(models.TextChoices):
    """Where a campaign stands."""

    RUNNING = "running", "Running"
    DUE = "due", "Due"
    CLOSED = "closed", "Closed"


class Campaign(models.Model):
    """Everyone of an account (null: of all accounts in which its author requests changes) or of a team who
    signs in with a password, or those of them whom a list names, by a day.

    `due` is the last day; at its end (UTC) what `ending` says is asked for in its author's name, and approved
    like anything else. `remind` are the days before it on which those who are missing hear of it again.
    `trouble` says why something of that could not be asked for.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, related_name="campaigns")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="campaigns")
    listed = models.JSONField(
        default=list, help_text="The numbers of the only users who take part; empty for all."
    )
    due = models.DateField()
    remind = models.JSONField(default=list)
    ending = models.CharField(max_length=8, choices=CampaignEnding.choices)
    reason = models.CharField(max_length=1000)
    state = models.CharField(max_length=7, choices=CampaignState.choices, default=CampaignState.RUNNING)
    begun_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="campaigns")
    begun_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True, help_text="When newcomers were last looked for.")
    closed_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=1024, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["begun_at"], condition=~Q(state="closed"), name="campaign_to_tend"),
        ]

    def __str__(self) -> str:
        return self.name


class Participant(models.Model):
    """One IAM user in a campaign. `invited_at` and `told_at` are of the first and of the latest message,
    `messages` how many there were.

    Excused until the end of a day, if `excused_until`; `asked` is the set that the end came to, `handled_at`
    when the end came to them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="participants")
    user = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="+")
    joined_at = models.DateTimeField()
    invited_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    messages = models.PositiveSmallIntegerField(default=0)
    excused_until = models.DateField(null=True)
    excused_why = models.CharField(max_length=300, blank=True)
    excused_by = models.CharField(max_length=128, blank=True)
    handled_at = models.DateTimeField(null=True)
    asked = models.ForeignKey(ChangeSet, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "user"], name="once_in_a_campaign"),
            models.CheckConstraint(
                condition=Q(excused_until__isnull=True) | ~Q(excused_why=""),
                name="an_exception_has_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["user"], name="participant_by_user")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.campaign_id}"
