"""The invitation: a personal one-time link, sent when the person's users exist, that shows their first
password.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID, uuid5

from django.db import transaction

from iam.changes.errors import RefusedError
from iam.directory.models import Person
from iam.guard import Viewer
from iam.journal.services import record
from iam.moments import moment_words
from iam.notify.events import NotifyEvent
from iam.notify.pages import MessagePage, path_of
from iam.notify.services import notify
from iam.people.links.models import LinkEndReason, LinkPurpose, OneTimeLink
from iam.people.links.queries import newest_by_cause
from iam.people.links.services import make_link
from iam.people.onboarding.invitation_state import (
    check_may_invite,
    has_chosen_password,
    is_password_gone,
    team_of,
    why_over,
    with_news,
)
from iam.people.onboarding.models import OnboardedPerson, ProvisionedUser
from iam.sealed import services as sealed
from iam.sealed.models import Secret, SecretState
from iam.sealed.services import SealedError

INVITATIONS: Final = UUID("7f4e3a0e-02c4-4f0c-8a8b-9d9f5d1f7a2c")
"""The namespace for the cause of invitations, derived from a newcomer."""
ALREADY_CHANGED: Final = "You already chose your own password. Sign in with that one."
DELETED_IN_AWS: Final = "The password that was set for you no longer exists in AWS."


def cause_of(newcomer: OnboardedPerson) -> UUID:
    """Return the id by which the links of a newcomer are found."""
    return uuid5(INVITATIONS, str(newcomer.pk))


def newcomer_of(link: OneTimeLink) -> OnboardedPerson | None:
    """Return the newcomer whom a link invites, or None."""
    people = OnboardedPerson.objects.filter(person_id=link.person_id).select_related(
        "run__version__blueprint__team"
    )
    return next((newcomer for newcomer in people if cause_of(newcomer) == link.cause_id), None)


def invitations(people: Sequence[OnboardedPerson]) -> dict[int, OneTimeLink]:
    """Return the newest invitation of each person who has one, with one query, and a second one if a restore
    sent a replacement.
    """
    newcomers = {cause_of(newcomer): newcomer.pk for newcomer in people}
    links = {newcomers[cause]: link for cause, link in newest_by_cause(newcomers).items()}
    replaced = {pk: link for pk, link in links.items() if link.ended_why == LinkEndReason.REPLACED}
    if not replaced:
        return links
    users = {link.user_arn for link in replaced.values()}
    candidates = OneTimeLink.objects.filter(purpose=LinkPurpose.INVITATION, user_arn__in=users).order_by(
        "created_at"
    )
    newest = {(link.person_id, link.user_arn): link for link in candidates}
    for pk, link in replaced.items():
        links[pk] = newest[link.person_id, link.user_arn]
    return links


@transaction.atomic
def invite(newcomer: OnboardedPerson, *, actor: Viewer | None) -> OneTimeLink:
    """Send the person a link; an older unused one stops working. `actor` None means that Gatehouse sends it
    in the name of the requester or of the person who resends it. Raises RefusedError.
    """
    if actor is not None:
        check_may_invite(newcomer, actor=actor)
    place = newcomer.places.filter(joined_at__isnull=False).order_by("pk").first()
    person = Person.objects.filter(pk=newcomer.person_id).first()
    person = person or Person.objects.filter(email__iexact=newcomer.email).first()
    if place is None or person is None:
        raise RefusedError(f"{newcomer.name} has no IAM user yet.")
    sender = newcomer.link_for or newcomer.run.requested_by
    link = make_link(
        LinkPurpose.INVITATION,
        person=person,
        user_arn=place.user_arn,
        actor=actor or Person.objects.filter(pk=sender).first(),
        cause_id=cause_of(newcomer),
    )
    OnboardedPerson.objects.filter(pk=newcomer.pk).update(wants_link_at=None, link_for=None)
    notify(
        NotifyEvent.INVITED,
        people=[person],
        subject=f"Your access to AWS with {team_of(newcomer).name}",
        text=f"{link.created_label} set up your access to AWS. Open the page to see your first password and "
        "to add your phone as a "
        "second factor.\n\n"
        f"The link works once, in one browser, until {moment_words(link.expires_at)}.",
        path=path_of(MessagePage.LINK, link.pk),
        key=str(link.pk),
    )
    record(
        kind="onboarding.invited",
        actor=actor,
        subject=newcomer.run.reference,
        data={"run": newcomer.run_id, "for": person.email, "link": link.pk},
    )
    return link


def invite_when_made(newcomer: OnboardedPerson) -> OneTimeLink | None:
    """Send the first invitation once all users are settled and at least one exists, or one that follows a new
    first password. Returns None if it is too early or there is nothing to send.
    """
    places = list(newcomer.places.all())
    if any(place.settled_at is None for place in places) or not any(place.joined_at for place in places):
        return None
    if newcomer.link_for is not None:
        is_ready = any(can_be_shown(place.password_seal) for place in places)
    else:
        is_ready = not OneTimeLink.objects.filter(cause_id=cause_of(newcomer)).exists()
    if not is_ready:
        return None
    with suppress(RefusedError):
        return invite(newcomer, actor=None)
    return None


def can_be_shown(seal: UUID | None, *, session: str | None = None) -> bool:
    """Return True if a secret can be shown: in this browser session, or, without one, in a browser that isn't
    open yet.
    """
    secret = Secret.objects.filter(pk=seal).first() if seal else None
    return secret is not None and sealed.can_reveal(secret, session=session or "")


def is_shown(seal: UUID | None) -> bool:
    """Return True if a browser has already shown the secret."""
    return seal is not None and Secret.objects.filter(pk=seal).exclude(browser="").exists()


def key_id_of(place: ProvisionedUser) -> str:
    """Return the id of the access key that was created, or an empty string."""
    secret = Secret.objects.filter(pk=place.key_seal).first() if place.key_seal else None
    return secret.label if secret is not None and secret.released_at is not None else ""


def show_secret(link: OneTimeLink, place: ProvisionedUser, *, session: str, is_key: bool = False) -> str:
    """Return the first password, or the secret of the access key, for the link's person in this browser
    session. Raises RefusedError.
    """
    newcomer = newcomer_of(link)
    seal = place.key_seal if is_key else place.password_seal
    if newcomer is None or place.newcomer_id != newcomer.pk or seal is None:
        raise RefusedError("You have no invitation here.")
    if why := why_over(newcomer, since=link.created_at):
        raise RefusedError(why)
    if not is_key:
        _check_password(place)
    until = link.session_until or link.expires_at
    try:
        return sealed.reveal(seal, person=link.person, session=session, until=until)
    except SealedError as error:
        raise RefusedError(error.message) from None


def _check_password(place: ProvisionedUser) -> None:
    """Raise RefusedError if the password no longer works."""
    refused = ""
    if has_chosen_password(place):
        refused = ALREADY_CHANGED
    elif is_password_gone(place):
        refused = DELETED_IN_AWS
    if refused and place.password_seal is not None:
        sealed.destroy(place.password_seal)
        raise RefusedError(refused)


def close_invitations() -> int:
    """Destroy the secrets of invitations that no longer work because the person changed team or was
    offboarded. Returns how many.
    """
    waiting = Secret.objects.filter(state__in=(SecretState.HELD, SecretState.SEALED)).values("pk")
    closed = 0
    for column in ("password_seal", "key_seal"):
        rows = ProvisionedUser.objects.filter(**{f"{column}__in": waiting}, joined_at__isnull=False)
        for place in with_news(list(rows.select_related("newcomer__run").order_by("-joined_at"))):
            secret = Secret.objects.get(pk=getattr(place, column))
            if secret.released_at and why_over(place.newcomer, since=secret.released_at):
                closed += sealed.destroy(secret.pk)
    return closed
