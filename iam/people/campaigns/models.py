"""The tables of campaigns and their participants. Whether a participant has MFA is read from the mirror and
not stored here.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from iam.changes.models import ChangeSet
from iam.directory.models import Person, Team
from iam.mirror.models import Account, Entity

OF_CAMPAIGN = "mfa_campaign"
"""The cause kind of the change sets that a campaign requests."""


class CampaignEnding(models.TextChoices):
    """What happens to participants without MFA when the campaign is due."""

    NOTIFY = "notify", "Send me the list"
    RESTRICT = "restrict", "Request a policy that requires MFA"
    DISABLE = "disable", "Request deletion of their console passwords"


class CampaignState(models.TextChoices):
    """The status of a campaign."""

    RUNNING = "running", "Running"
    DUE = "due", "Due"
    CLOSED = "closed", "Closed"


class Campaign(models.Model):
    """A campaign for everyone with a console password in an account (null: in all accounts in which its
    author can request changes) or a team, or for the listed users among them.

    `due` is the last day. At its end (UTC), the action in `ending` is requested in the author's name and
    needs approval. `remind` lists the numbers of days before `due` on which people without MFA are reminded.
    `trouble` says why a request failed.
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
    """An IAM user in a campaign. `invited_at` and `told_at` are the times of the first and the latest
    message, `messages` is their number.

    `excused_until` is the last day of an exemption. `asked` is the change set that was requested at the end,
    and `handled_at` is when.
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
