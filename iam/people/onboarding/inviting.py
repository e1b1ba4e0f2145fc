"""The invitation: a one-time link for the person alone, sent when their users are there; with it they take their first password, once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid5

from django.db import transaction

from iam.changes.errors import RefusedError
from iam.directory.models import Person
from iam.guard import Viewer
from iam.journal.services import record
from iam.notify.events import Event
from iam.notify.services import notify
from iam.people.blueprints.queries import may_run
from iam.people.links.models import Link, Purpose
from iam.people.links.queries import newest_by_cause
from iam.people.links.services import make_link
from iam.people.links.words import PREFIX
from iam.people.onboarding.models import Newcomer, Place
from iam.sealed import services as sealed
from iam.sealed.models import Secret, State
from iam.sealed.services import SealedError

INVITATIONS: Final = UUID("7f4e3a0e-02c4-4f0c-8a8b-9d9f5d1f7a2c")
"""The name space in which a newcomer gives their invitations a cause."""


def cause_of(newcomer: Newcomer) -> UUID:
    """By what the links of a newcomer are found again."""
    return uuid5(INVITATIONS, str(newcomer.pk))


def newcomer_of(link: Link) -> Newcomer | None:
    """Whose invitation a link is."""
    people = Newcomer.objects.filter(person_id=link.person_id).select_related("run__version__blueprint__team")
    return next((one for one in people if cause_of(one) == link.cause_id), None)


def invitations(people: Sequence[Newcomer]) -> dict[int, Link]:
    """The newest invitation of each who has one; one query."""
    causes = {cause_of(one): one.pk for one in people}
    return {causes[cause]: link for cause, link in newest_by_cause(causes).items()}


@transaction.atomic
def invite(newcomer: Newcomer, *, actor: Viewer | None) -> Link:
    """Send the person a link; an older one that was not used opens nothing from now on. `actor` None: by itself, in the name of who asked for the run. Raises RefusedError."""
    team = newcomer.run.version.blueprint.team
    if actor is not None and not may_run(actor, team):
        raise RefusedError("You can invite people of your own teams only.")
    place = newcomer.places.filter(joined_at__isnull=False).order_by("pk").first()
    person = Person.objects.filter(pk=newcomer.person_id).first()
    person = person or Person.objects.filter(email__iexact=newcomer.email).first()
    if place is None or person is None:
        raise RefusedError(f"{newcomer.name} has no user yet.")
    link = make_link(
        Purpose.INVITATION,
        person=person,
        user_arn=place.user_arn,
        actor=actor or Person.objects.filter(pk=newcomer.run.requested_by).first(),
        cause_id=cause_of(newcomer),
    )
    asker = link.created_label
    notify(
        Event.INVITED,
        people=[person],
        subject=f"Your access to AWS with {team.name}",
        text=f"{asker} set up your access to AWS. Open the page to take your first password, and to add your phone as a second factor.\n\n"
        f"The link works once, in one browser, until {link.expires_at:%Y-%m-%d %H:%M} UTC.",
        path=f"{PREFIX}{link.pk}/",
        key=str(link.pk),
    )
    record(
        kind="onboarding.invited",
        actor=actor,
        subject=newcomer.run.reference,
        data={"run": newcomer.run_id, "for": person.email, "link": link.pk},
    )
    return link


def invite_when_made(newcomer: Newcomer) -> Link | None:
    """The first invitation, once all of their users are settled and at least one is there; None when there was one, or it is too early."""
    places = list(newcomer.places.all())
    if any(place.settled_at is None for place in places) or not any(place.joined_at for place in places):
        return None
    if Link.objects.filter(cause_id=cause_of(newcomer)).exists():
        return None
    with suppress(RefusedError):
        return invite(newcomer, actor=None)
    return None


def waits(seal: UUID | None) -> bool:
    """Whether a secret can still be taken."""
    secret = Secret.objects.filter(pk=seal).first() if seal else None
    return secret is not None and secret.state == State.SEALED and secret.expires_at > datetime.now(tz=UTC)


def key_id_of(place: Place) -> str:
    """The id of the access key that was made; "" while there is none."""
    secret = Secret.objects.filter(pk=place.key_seal).first() if place.key_seal else None
    return secret.label if secret is not None and secret.released_at is not None else ""


def take(link: Link, place: Place, *, is_key: bool = False) -> str:
    """The temporary password, or the secret of the access key, for the person of the link, and never again. Raises RefusedError."""
    newcomer = newcomer_of(link)
    seal = place.key_seal if is_key else place.password_seal
    if newcomer is None or place.newcomer_id != newcomer.pk or seal is None:
        raise RefusedError("There is nothing for you here.")
    try:
        return sealed.open_once(seal, person=link.person)
    except SealedError as error:
        raise RefusedError(error.message) from None
