"""The only writer of links between IAM users and people. Callers have checked who can create them."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction

from iam.directory.events import rights_reduced
from iam.directory.models import Identity, LinkOrigin, OwnedUser, Person
from iam.directory.owners import release
from iam.directory.rules import DirectoryRuleError
from iam.journal.services import Actor, record


@transaction.atomic
def link(
    person: Person,
    *,
    user_arn: str,
    aws_id: str = "",
    how: LinkOrigin = LinkOrigin.HAND,
    actor: Actor,
    data: dict[str, Any] | None = None,
) -> Identity:
    """Link an IAM user to a person. It is safe to run again. Raises DirectoryRuleError if the user is linked
    to someone else.
    """
    taken = Identity.objects.filter(user_arn=user_arn).select_related("person").first()
    if taken is not None and taken.person_id == person.pk:
        return taken
    if taken is not None:
        raise DirectoryRuleError(f"{user_arn} belongs to {taken.person.name}. Unlink it there first.")
    try:
        with transaction.atomic():
            made = Identity.objects.create(
                person=person, user_arn=user_arn, aws_id=aws_id, tie=how, linked_by=_label(actor)
            )
    except IntegrityError:
        raise DirectoryRuleError(f"{user_arn} was linked to another person a moment ago.") from None
    _record("identity.link", made, actor, data)
    of_user = {"aws_id": aws_id} if aws_id else {"user_arn": user_arn}
    for owned in OwnedUser.objects.filter(**of_user).select_related("team"):
        release(owned, actor=actor, why=f"The user was linked to {person.name}.")
    return made


@transaction.atomic
def unlink(identity: Identity, *, actor: Actor | None, data: dict[str, Any] | None = None) -> bool:
    """Remove a link and sign the person out. Returns False if it was removed already. AWS isn't changed."""
    if not Identity.objects.filter(pk=identity.pk, person=identity.person_id).delete()[0]:
        return False
    _record("identity.unlink", identity, actor, data)
    rights_reduced(identity.person)
    return True


@transaction.atomic
def drop_recreated(identity: Identity) -> None:
    """Remove the link to a deleted user whose name another user has now, because no one linked that one."""
    if Identity.objects.filter(pk=identity.pk, aws_id=identity.aws_id).delete()[0]:
        _record("identity.outlive", identity, None, {"unique_id": identity.aws_id})
        rights_reduced(identity.person)


def backfill_aws_id(identity: Identity, *, aws_id: str) -> None:
    """Store the unique ID of a user that was linked by name, once."""
    Identity.objects.filter(pk=identity.pk, aws_id="").update(aws_id=aws_id)


def _label(actor: Actor) -> str:
    return str(getattr(actor, "name", "") or "")[:128]


def _record(kind: str, identity: Identity, actor: Actor | None, data: dict[str, Any] | None) -> None:
    record(
        kind=kind,
        actor=actor,
        subject=identity.person.email,
        account_id=identity.user_arn.split(":")[4],
        data={"arn": identity.user_arn} | (data or {}),
    )
