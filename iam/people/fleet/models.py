"""The tables of the fleet: where hardware MFA (a hardware token, a security key or a passkey) is required,
and the calculated state of each IAM user.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from iam.directory.models import Team
from iam.mirror.models import Account, Entity


class HardwareDemand(models.Model):
    """An account or a team, never both, that requires more than an authenticator app."""

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, null=True, related_name="hardware_demand"
    )
    team = models.OneToOneField(Team, on_delete=models.CASCADE, null=True, related_name="hardware_demand")
    since = models.DateTimeField(auto_now_add=True)
    set_by = models.CharField(max_length=128)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(account__isnull=True) ^ Q(team__isnull=True),
                name="hardware_is_demanded_of_one",
            )
        ]

    def __str__(self) -> str:
        return f"hardware in {self.place.name}"

    @property
    def place(self) -> Account | Team:
        """The account or the team."""
        place = self.account or self.team
        assert place is not None
        return place


class Administrator(models.IntegerChoices):
    """Whether an IAM user is an administrator."""

    NO = 0
    CONDITIONAL = 1
    YES = 2


class FleetUser(models.Model):
    """The calculated state of an IAM user: the place in the order of urgency, as text, and whether they are
    an administrator. `FleetAccount` has the time. A user without a row isn't calculated yet.
    """

    user = models.OneToOneField(Entity, on_delete=models.CASCADE, primary_key=True, related_name="fleet")
    account = models.ForeignKey(Account, db_index=False, on_delete=models.CASCADE, related_name="+")
    administrator = models.PositiveSmallIntegerField(choices=Administrator.choices)
    place = models.CharField(max_length=520)

    class Meta:
        indexes = [
            models.Index(fields=["place", "user"], name="fleet_user_by_place"),
            models.Index(fields=["account", "place", "user"], name="fleet_user_in_account"),
            models.Index(
                fields=["account", "user"],
                condition=Q(administrator__gt=Administrator.NO),
                name="fleet_administrators",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.place} ({self.get_administrator_display()})"


class FleetAccount(models.Model):
    """The state of an account from which its users were calculated, and when.

    `writes` and `revision` are those of the account. `demands` identifies the hardware requirements
    (`DemandPlaces.stamp`). `trees` are the revisions of the accounts that show an organization, by account
    ID. `standing` is a digest of the account's place in its organization.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="fleet")
    writes = models.PositiveBigIntegerField(default=0)
    revision = models.PositiveBigIntegerField(default=0)
    demands = models.CharField(max_length=32, blank=True)
    trees = models.JSONField(default=dict)
    standing = models.CharField(max_length=32, blank=True)
    calculated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"the fleet of {self.account_id} at {self.calculated_at}"
