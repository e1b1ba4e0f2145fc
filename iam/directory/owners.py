"""The only writer of the owners of machine users, roles, keys and grants. Callers have checked who can set
them.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from iam.directory.models import NamedOwner, OwnedKind, OwnedUser, Person, Team
from iam.journal.services import Actor, record


@transaction.atomic
def set_owner(
    team: Team, *, account_id: str, aws_id: str, user_arn: str, actor: Actor, why: str = ""
) -> bool:
    """Set the team that owns an IAM user, replacing any other. Returns False if nothing changed."""
    rows = OwnedUser.objects.select_for_update(of=("self", "team")).select_related("team")
    former = rows.filter(aws_id=aws_id).first()
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
    """End the ownership of a team. A second call does nothing."""
    if OwnedUser.objects.filter(pk=owned.pk, team=owned.team_id).delete()[0]:
        record(
            kind="owner.remove",
            actor=actor,
            subject=owned.team.name,
            account_id=owned.account_id,
            data={"arn": owned.user_arn, "why": why},
        )


@dataclass(frozen=True, slots=True)
class OwnedSubject:
    """A subject of ownership: AWS's unique ID of a user or role, or the id of a key or grant, with its
    account and display name.
    """

    kind: OwnedKind
    subject: str
    account_id: str
    name: str


@transaction.atomic
def name_owner(owned: OwnedSubject, owner: Person | Team, *, actor: Actor, why: str = "") -> bool:
    """Set the owner of a subject, replacing any other. Returns False if nothing changed."""
    rows = NamedOwner.objects.select_for_update(of=("self",)).filter(kind=owned.kind, subject=owned.subject)
    former = rows.select_related("person", "team").first()
    if former is not None and owner in (former.person, former.team):
        return False
    NamedOwner.objects.update_or_create(
        kind=owned.kind,
        subject=owned.subject,
        defaults={
            "account_id": owned.account_id,
            "name": owned.name[:512],
            "person": owner if isinstance(owner, Person) else None,
            "team": owner if isinstance(owner, Team) else None,
            "set_by": str(getattr(actor, "name", ""))[:128],
        },
    )
    record(
        kind="owner.name",
        actor=actor,
        subject=owner.name,
        account_id=owned.account_id,
        data={"owned": owned.name, "former": former.owner_name if former else "", "why": why},
    )
    return True


@transaction.atomic
def remove_named_owner(owned: OwnedSubject, *, actor: Actor, why: str = "") -> bool:
    """Remove the owner of a subject. Returns False if there was none."""
    rows = NamedOwner.objects.select_for_update(of=("self",)).filter(kind=owned.kind, subject=owned.subject)
    former = rows.select_related("person", "team").first()
    if former is None:
        return False
    rows.delete()
    record(
        kind="owner.unname",
        actor=actor,
        subject=former.owner_name,
        account_id=owned.account_id,
        data={"owned": owned.name, "why": why},
    )
    return True
