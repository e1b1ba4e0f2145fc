"""Links users to people, removes links and excludes matches. Each action checks the viewer's rights and is
recorded in the journal. Nothing in AWS changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import transaction

from iam.directory import identity_links
from iam.directory.models import Identity, LinkOrigin, Person
from iam.directory.rules import DirectoryRuleError
from iam.directory.services import add_person
from iam.guard import Viewer
from iam.journal.services import record
from iam.linking.models import ExcludedMatch, LinkStanding, MatchMethod, UserMatch
from iam.linking.ownership import owners_of
from iam.linking.refresh import refresh_users
from iam.linking.rights import check
from iam.mirror.models import Entity

MAX_WHY_LENGTH: Final = 1000
MAX_USERS_AT_ONCE: Final = 500


@transaction.atomic
def link(viewer: Viewer, *, user: Entity, person: Person, why: str = "") -> Identity:
    """Link a user to a person. If this accepts a proposed match, the link is marked as confirmed. Raises
    DirectoryRuleError.
    """
    check(viewer, user=user, person=person)
    if user.gone_at is not None:
        raise DirectoryRuleError(f"{user.name} was deleted in AWS.")
    sign = UserMatch.objects.filter(pk=user.pk).first()
    named = sign is not None and sign.standing == LinkStanding.KNOWN and sign.person_id == person.pk
    stale = Identity.objects.filter(user_arn=user.arn).exclude(aws_id__in=["", user.aws_id]).first()
    if stale is not None:
        identity_links.unlink(stale, actor=None, data={"why": "The user was created again."})
    how = LinkOrigin.CONFIRMED if named else LinkOrigin.HAND
    return identity_links.link(
        person,
        user_arn=user.arn,
        aws_id=user.aws_id,
        how=how,
        actor=viewer,
        data={"why": why.strip()[:MAX_WHY_LENGTH], "said": sign.words if sign and named else ""},
    )


@transaction.atomic
def add_and_link(viewer: Viewer, *, user: Entity, name: str) -> Identity:
    """Add the person with the email address in the user's tag to the directory, without any role, and link
    the user. Raises DirectoryRuleError.
    """
    known = owners_of([user])[user.pk]
    if known.person is not None or known.in_doubt or not known.address:
        raise DirectoryRuleError(f"{user.name} has no tag with an email address that is new to Gatehouse.")
    person = add_person(name=name, email=known.address, actor=viewer)
    return link(viewer, user=user, person=person, why=known.words)


@transaction.atomic
def undo(viewer: Viewer, *, user: Entity) -> Person:
    """Remove a link made by hand, so that the matching rules apply again. Raises DirectoryRuleError."""
    identity = _locked_user(user)
    check(viewer, user=user, person=identity.person)
    identity_links.unlink(identity, actor=viewer, data={"why": "Removed by hand"})
    return identity.person


@transaction.atomic
def set_apart(viewer: Viewer, *, user: Entity, person: Person, why: str = "") -> ExcludedMatch:
    """Exclude a person as a match for a user, whatever the rules say. Raises DirectoryRuleError."""
    check(viewer, user=user, person=person)
    text = why.strip()[:MAX_WHY_LENGTH]
    for identity in Identity.objects.filter(user_arn=user.arn, person=person).select_related("person"):
        identity_links.unlink(identity, actor=viewer, data={"why": text})
    mark, made = ExcludedMatch.objects.get_or_create(
        user=user, person=person, defaults={"why": text, "said_by": viewer.name[:128]}
    )
    if made:
        _record("identity.apart", viewer, user, person, why=text)
        refresh_users([user.pk])
    return mark


@transaction.atomic
def forget(viewer: Viewer, mark: ExcludedMatch) -> None:
    """Remove an exclusion, so that the rules can match again. Raises DirectoryRuleError."""
    check(viewer, user=mark.user, person=mark.person)
    if ExcludedMatch.objects.filter(pk=mark.pk).delete()[0]:
        _record("identity.together", viewer, mark.user, mark.person)
        refresh_users([mark.user_id])


@dataclass(slots=True)
class ConfirmationResult:
    """The result of linking many users: how many were linked, and the refusals."""

    linked: int = 0
    refused: list[str] = field(default_factory=list)


def confirm(viewer: Viewer, users: Sequence[Entity], *, why: str = "") -> ConfirmationResult:
    """Confirm the proposed match of each user. A refusal doesn't stop the others."""
    done, known = ConfirmationResult(), owners_of(users)
    for user in users[:MAX_USERS_AT_ONCE]:
        ownership = known[user.pk]
        if ownership.person is None or ownership.confirmed or ownership.how == MatchMethod.HAND:
            continue
        try:
            link(viewer, user=user, person=ownership.person, why=why)
            done.linked += 1
        except DirectoryRuleError as error:
            done.refused.append(f"{user.name} in {user.account.name}: {error}")
    return done


def _locked_user(user: Entity) -> Identity:
    identity = Identity.objects.filter(user_arn=user.arn).select_related("person").first()
    if identity is None:
        raise DirectoryRuleError(f"{user.name} is not linked by hand.")
    return identity


def _record(kind: str, viewer: Viewer, user: Entity, person: Person, *, why: str = "") -> None:
    record(
        kind=kind,
        actor=viewer,
        subject=person.email,
        account_id=user.account.account_id,
        data={"arn": user.arn, "why": why},
    )
