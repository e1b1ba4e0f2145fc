"""The sign-in of a person whose access is restored: a new sealed password, and a one-time link to get it and
to add an MFA device.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID, uuid5

from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.operations.login_profile import CreateLoginProfile, DeleteLoginProfile, PasswordParams
from iam.changes.operations.params import NO, YES
from iam.changes.operations.sealed_secret import seal_id
from iam.changes.operations.user_credential import UserParams
from iam.directory.models import Person
from iam.guard import viewer_for
from iam.journal.services import record
from iam.linking.ownership import is_linked
from iam.moments import moment_words
from iam.notify.events import NotifyEvent
from iam.notify.pages import MessagePage, path_of
from iam.notify.services import notify
from iam.people.links.models import LinkPurpose, OneTimeLink
from iam.people.links.services import make_link
from iam.people.offboarding.models import Leaver, OffboardedUser
from iam.people.offboarding.queries import openable
from iam.people.offboarding.removal_proof import turned_changes_of
from iam.people.offboarding.rules import asker_of
from iam.sealed import services as sealed
from iam.sealed.services import SealedError

LINKS: Final = UUID("f6e2c1b4-57a1-4a52-93f0-93b0f6f4b811")
"""The namespace for the cause of the link, derived from a leaver."""


def password_of(seat: OffboardedUser) -> CreateLoginProfile | None:
    """Return the operation that sets a new password where one was deleted. Returns None if no person was
    linked to the user by hand.
    """
    leaver = seat.leaver
    person = Person.objects.filter(pk=leaver.person_id).first() if leaver.person_id else None
    taken = turned_changes_of(seat).filter(
        operation=DeleteLoginProfile.spec.slug, state=ChangeState.APPLIED, already_so=False
    )
    # A match by tag or rule gives no one a password, because anyone who writes tags in AWS could name
    # themselves.
    if person is None or not is_linked(person.pk, user=seat.user) or not taken.exists():
        return None
    sealed_id = seal_id(person_id=person.pk, key=f"{leaver.pk.hex}:{seat.pk.hex}:{leaver.trials}")
    params = PasswordParams(
        **UserParams.names_of(seat.user),
        recipient_id=str(person.pk),
        recipient_name=person.name,
        sealed_id=str(sealed_id),
        typed=NO,
        must_change=YES,
    )
    return CreateLoginProfile(seat.account, params)


def keep_seals(leaver: Leaver, written: Sequence[Change]) -> None:
    """Record the seals of the requested passwords."""
    for change in written:
        if change.operation == CreateLoginProfile.spec.slug:
            seats = OffboardedUser.objects.filter(leaver=leaver, user_arn=change.params["user_arn"])
            seats.update(password_seal=UUID(change.params["sealed_id"]))


def cause_of(leaver: Leaver) -> UUID:
    """Return the id by which the link of a restored person is found."""
    return uuid5(LINKS, f"{leaver.pk}:{leaver.trials}")


def has_link(leaver: Leaver) -> bool:
    """Return True if the link of the newest restore or invitation was sent."""
    return OneTimeLink.objects.filter(cause_id=cause_of(leaver)).exists()


def invite_back(leaver: Leaver) -> OneTimeLink | None:
    """Send the link once. Returns None if there is no active person in the directory."""
    person = Person.objects.filter(pk=leaver.person_id, is_active=True).first() if leaver.person_id else None
    seats = leaver.seats.select_related("user").order_by("pk")
    seat = next((seat for seat in seats if person and is_linked(person.pk, user=seat.user)), None)
    if person is None or seat is None or has_link(leaver):
        return None
    link = make_link(
        LinkPurpose.INVITATION, person=person, user_arn=seat.user_arn, actor=None, cause_id=cause_of(leaver)
    )
    notify(
        NotifyEvent.INVITED,
        people=[person],
        subject="Your access to AWS is back",
        text="Your access to AWS was restored. Open this page to get a new password and to add your phone "
        "for multi-factor sign-in (MFA).\n\n"
        f"The link works once, in one browser, until {moment_words(link.expires_at)}.",
        path=path_of(MessagePage.LINK, link.pk),
        key=str(link.pk),
    )
    data = {"leaver": leaver.pk, "for": person.email, "link": link.pk}
    record(kind="leaving.invited", actor=None, subject=leaver.name, data=data)
    return link


def tell_restored(leaver: Leaver, *, by: UUID, name: str, reason: str) -> None:
    """Tell the requesters of the suspension or offboarding that another person, `by`, had the access
    restored. Runs in the caller's transaction.

    An offboarding that followed a suspension reverts both.
    """
    for restored in (leaver, *leaver.follows.select_related("run")):
        asker = asker_of(restored.run)
        if asker is None or not asker.is_active or asker.pk == by:
            continue
        if not openable(viewer_for(asker), [restored]):
            continue
        notify(
            NotifyEvent.RESTORED,
            people=[asker],
            subject=f"Access restored: {restored.name}",
            text=f"{name} had the access restored that “{restored.title}” ({restored.run.reference}) had "
            f"cut: {reason}",
            path=path_of(MessagePage.LEAVER, restored.pk),
            key=f"{restored.pk}:restored:{leaver.trials}",
            reference=restored.run.reference,
        )


def returned_by(link: OneTimeLink) -> Leaver | None:
    """Return the leaver whose access was restored with a link, or None."""
    people = Leaver.objects.filter(person_id=link.person_id, returned_at__isnull=False)
    return next((leaver for leaver in people if cause_of(leaver) == link.cause_id), None)


def show_password(link: OneTimeLink, seat: OffboardedUser, *, session: str) -> str:
    """Return the new password for the person of the link. Only the first browser session that asks can see
    it, until the session ends. Raises RefusedError.
    """
    leaver = returned_by(link)
    if leaver is None or seat.leaver_id != leaver.pk or seat.password_seal is None:
        raise RefusedError("This link has no password for you.")
    until = link.session_until or link.expires_at
    try:
        return sealed.reveal(seat.password_seal, person=link.person, session=session, until=until)
    except SealedError as error:
        raise RefusedError(error.message) from None
