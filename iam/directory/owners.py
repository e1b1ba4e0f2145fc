"""The only writer of which team owns a machine user; callers have checked who can say so."""

from __future__ import annotations

from django.db import transaction

from iam.directory.models import OwnedUser, Team
from iam.journal.services import Actor, record


@transaction.atomic
def set_owner(
    team: Team, *, account_id: str, aws_id: str, user_arn: str, actor: Actor, why: str = ""
) -> bool:
    """Make the team the owner of an IAM user, instead of any other; False if it is the owner already."""
    former = OwnedUser.objects.select_for_update().filter(aws_id=aws_id).select_related("team").first()
    if former is not None and former.team_id == team.pk:
        return False
    OwnedUser.objects.update_or_create(
        aws_id=aws_id,
        defaults={
            "team": team,
            "account_id": account_id,
            "user_arn": user_arn,
            "set_by": str(getattr(actor, "name", ""))[:128],
        },
    )
    record(
        kind="owner.set",
        actor=actor,
        subject=team.name,
        account_id=account_id,
        data={"arn": user_arn, "former": former.team.name if former else "", "why": why},
    )
    return True


@transaction.atomic
def release(owned: OwnedUser, *, actor: Actor | None, why: str = "") -> None:
    """End the ownership of a team; a second call does nothing."""
    if OwnedUser.objects.filter(pk=owned.pk, team=owned.team_id).delete()[0]:
        record(
            kind="owner.remove",
            actor=actor,
            subject=owned.team.name,
            account_id=owned.account_id,
            data={"arn": owned.user_arn, "why": why},
        )
