"""Where only a hardware token, a security key or a passkey will do as MFA: for the users of an account, or for the people of a team."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from iam.directory.models import Team
from iam.mirror.models import Account


class HardwareDemand(models.Model):
    """An account or a team, never both, whose people shall have more than an app on a phone."""

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
        found = self.account or self.team
        assert found is not None
        return found
