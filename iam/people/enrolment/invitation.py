"""Invites someone to enroll an MFA device, with a one-time link by mail or shown once. The inviter never sees
the seed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from django.db import transaction

from iam.changes.errors import RefusedError
from iam.changes.services.plans import check_account
from iam.directory.models import Person
from iam.guard import Right, Viewer
from iam.journal.services import record
from iam.linking.ownership import owner
from iam.mirror.models import Entity
from iam.mirror.queries.visibility import visible_entities
from iam.moments import moment_words
from iam.notify.events import NotifyEvent
from iam.notify.pages import MessagePage, path_of
from iam.notify.services import notify
from iam.people.enrolment.queries import has_mfa
from iam.people.enrolment.texts import HAS_ONE
from iam.people.links.models import LinkPurpose, OneTimeLink
from iam.people.links.services import make_link, revoke_link
from iam.people.links.signed_ids import address_of

NOBODY: Final = (
    "No person in Gatehouse is linked to this IAM user. An administrator or the team lead can link one "
    "under “Match users to people”."
)


def may_invite(viewer: Viewer, *, user: Entity) -> bool:
    """Return True if the viewer can invite the person of this IAM user, as those who can request changes to
    it can.
    """
    if not viewer.may(Right.REQUEST_CHANGE, account_id=user.account.account_id):
        return False
    reach = replace(viewer, scope=viewer.asks)
    return visible_entities(reach).filter(pk=user.pk, gone_at__isnull=True).exists()


def person_of(user: Entity) -> Person | None:
    """Return the person that someone linked to the IAM user. A match by tag or rule isn't enough to get a
    link.
    """
    return owner(user)


@transaction.atomic
def send_link(viewer: Viewer, *, user: Entity) -> OneTimeLink:
    """Send the person a link by mail. Raises RefusedError."""
    link = _link(viewer, user)
    sent = notify(
        NotifyEvent.ENROL,
        people=[link.person],
        subject=f"Add an MFA device to {user.name}",
        text=f"{viewer.name} wants you to add an MFA device to your AWS user {user.name} in "
        f"{user.account.name}. It takes two minutes with an "
        f"authenticator app.\n\nThe link works once, in one browser, until {moment_words(link.expires_at)}. "
        "You never need to enter a password there.",
        path=path_of(MessagePage.LINK, link.pk),
        key=str(link.pk),
    )
    _record("send", link, viewer, told=sent)
    return link


@transaction.atomic
def show_link(viewer: Viewer, *, user: Entity) -> tuple[OneTimeLink, str]:
    """Return the link and its address, shown once for the inviter to pass on. Raises RefusedError."""
    link = _link(viewer, user)
    _record("show", link, viewer)
    return link, address_of(link)


def revoke(viewer: Viewer, link: OneTimeLink) -> bool:
    """Revoke a link and its session. Returns False if it is over already."""
    return revoke_link(link, actor=viewer)


def _link(viewer: Viewer, user: Entity) -> OneTimeLink:
    if not may_invite(viewer, user=user):
        raise RefusedError("You can invite only people in your teams.")
    check_account(user.account)
    person = person_of(user)
    if person is None:
        raise RefusedError(NOBODY)
    if has_mfa(user):
        raise RefusedError(HAS_ONE.format(user=user.name))
    return make_link(LinkPurpose.MFA, person=person, user_arn=user.arn, actor=viewer)


def _record(act: str, link: OneTimeLink, viewer: Viewer, **data: object) -> None:
    record(
        kind=f"link.{act}",
        actor=viewer,
        subject=link.user_arn,
        account_id=link.account_id,
        data={"link": link.pk, "for": link.person.email, **data},
    )
