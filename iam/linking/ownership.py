"""The person who owns a user, how that is known, and all users of a person. All other packages use these
answers.

Rights over a user (to see it as one's own, to enroll its MFA device, to get its links) require a link made by
hand (`confirmed`). What displays, warns, forbids or ends access also uses matches by rules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from iam.directory.models import Identity, LinkOrigin, Person
from iam.linking.models import LinkStanding, MatchMethod, UserMatch
from iam.mirror.models import Entity, Kind

DOUBTS: Final = (LinkStanding.AMBIGUOUS, LinkStanding.CONFLICT)
LINK_REASONS: Final = {
    LinkOrigin.HAND: "linked by hand",
    LinkOrigin.CONFIRMED: "confirmed by hand",
    LinkOrigin.JOINED: "made for them by an onboarding",
}


@dataclass(frozen=True, slots=True)
class UserOwnership:
    """The owner of a user. With an address and no `person`, the owner isn't in the directory. `sign` is the
    match by rules.
    """

    person: Person | None = None
    address: str = ""
    how: str = ""
    words: str = ""
    confirmed: bool = False
    standing: str = LinkStanding.NOBODY
    identity: Identity | None = None
    sign: UserMatch | None = None

    @property
    def in_doubt(self) -> bool:
        """True if several people match, so that no one is linked."""
        return self.standing in DOUBTS


NOBODY: Final = UserOwnership()


@dataclass(frozen=True, slots=True)
class LinkedUser:
    """A user of a person."""

    user: Entity
    ownership: UserOwnership


def confirmed(users: str = "user_arn") -> Exists:
    """Return the condition that an active person is linked by hand to the user whose ARN is in a column. Use
    it for what gives rights and sends messages.
    """
    return Exists(Identity.objects.filter(user_arn=OuterRef(users), person__is_active=True))


def owners(arns: Iterable[str]) -> dict[str, Person]:
    """Return the active people linked by hand to users, by ARN, with one query."""
    rows = Identity.objects.filter(user_arn__in=set(arns), person__is_active=True).select_related("person")
    return {identity.user_arn: identity.person for identity in _valid(rows)}


def owner(user: Entity) -> Person | None:
    """Return the person who has rights over a user as its owner, or None."""
    return owners([user.arn]).get(user.arn)


def owns(person_id: UUID, *, user_arn: str) -> bool:
    """Return True if an active person is linked by hand to this ARN and to the user that has it now."""
    rows = Identity.objects.filter(person=person_id, person__is_active=True, user_arn=user_arn)
    return _valid(rows).exists()


def is_linked(person_id: UUID, *, user: Entity) -> bool:
    """Return True if someone linked this exact user to the person, active or not: an offboarded person can't
    sign in, but may come back.
    """
    rows = Identity.objects.filter(person=person_id, user_arn=user.arn)
    return rows.filter(aws_id__in=["", user.aws_id]).exists()


def _valid(rows: QuerySet[Identity]) -> QuerySet[Identity]:
    """Return the links without those to a deleted user whose ARN another user has now."""
    other = Entity.objects.filter(
        arn=OuterRef("user_arn"), kind=Kind.USER, gone_at__isnull=True, account__removed_at__isnull=True
    ).exclude(aws_id=OuterRef("aws_id"))
    return rows.exclude(Q(Exists(other)) & ~Q(aws_id=""))


def people_concerned(arns: Iterable[str]) -> frozenset[UUID]:
    """Return everyone who is linked to or matched with a user. Use it to keep people from deciding about
    themselves. Two queries.
    """
    wanted = set(arns)
    if not wanted:
        return frozenset()
    linked = Identity.objects.filter(user_arn__in=wanted).values_list("user_arn", "person_id")
    by_hand = dict(linked)
    signs = UserMatch.objects.filter(user__arn__in=wanted - by_hand.keys(), user__gone_at__isnull=True)
    voices = signs.values_list("said", flat=True)
    proposed = {UUID(voice["person"]) for voice in chain.from_iterable(voices) if voice["person"]}
    return frozenset(by_hand.values()) | proposed


def owners_of(users: Sequence[Entity]) -> dict[int, UserOwnership]:
    """Return the owner of each user, with two queries."""
    rows = Identity.objects.filter(user_arn__in=[entity.arn for entity in users]).select_related("person")
    identity_by_arn = {identity.user_arn: identity for identity in rows}
    signs = {
        sign.pk: sign
        for sign in UserMatch.objects.filter(pk__in=[entity.pk for entity in users]).select_related(
            "person", "former"
        )
    }
    return {
        entity.pk: _answer(entity, identity_by_arn.get(entity.arn), signs.get(entity.pk)) for entity in users
    }


def _answer(user: Entity, identity: Identity | None, sign: UserMatch | None) -> UserOwnership:
    if identity is not None and identity.aws_id in ("", user.aws_id):
        return UserOwnership(
            person=identity.person,
            address=identity.person.email.lower(),
            how=MatchMethod.HAND,
            words=LINK_REASONS[LinkOrigin(identity.tie)],
            confirmed=True,
            standing=LinkStanding.KNOWN,
            identity=identity,
            sign=sign,
        )
    if sign is None:
        return NOBODY
    address = sign.person.email.lower() if sign.person else sign.address
    if sign.standing in DOUBTS:
        address = ""
    return UserOwnership(sign.person, address, sign.how, sign.words, standing=sign.standing, sign=sign)


def users_of(
    people: Iterable[Person], *, addresses: Iterable[str] = ()
) -> dict[UUID | str, list[LinkedUser]]:
    """Return all living users of people, by person id, and of addresses outside the directory, with four
    queries.

    This is beyond what a viewer can see: callers that show it must filter it.
    """
    by_id = {person.pk: person for person in people}
    strange = {address for address in addresses if address}
    identities = list(Identity.objects.filter(person__in=by_id).select_related("person"))
    signs = list(
        UserMatch.objects.filter(
            Q(person__in=by_id) | Q(person__isnull=True, standing=LinkStanding.NOBODY, address__in=strange)
        ).select_related("person")
    )
    living = Entity.objects.filter(
        Q(arn__in={identity.user_arn for identity in identities}) | Q(pk__in={sign.pk for sign in signs}),
        kind=Kind.USER,
        gone_at__isnull=True,
        account__removed_at__isnull=True,
    )
    users = list(living.select_related("account").order_by("account__name", "account_id", "name", "pk"))
    tied = {identity.user_arn: identity for identity in identities}
    arns = {entity.arn for entity in users} - tied.keys()
    tied |= {
        identity.user_arn: identity
        for identity in Identity.objects.filter(user_arn__in=arns).select_related("person")
    }
    known = {sign.pk: sign for sign in signs}
    users_by_owner: dict[UUID | str, list[LinkedUser]] = defaultdict(list)
    for user in users:
        answer = _answer(user, tied.get(user.arn), known.get(user.pk))
        key = answer.person.pk if answer.person else answer.address
        if key in by_id or key in strange:
            users_by_owner[key].append(LinkedUser(user, answer))
    return users_by_owner


def unsynced_users(people: Collection[UUID]) -> dict[UUID, int]:
    """Return how many users each person is linked to that no sync has found yet, with one query."""
    synced = Entity.objects.filter(kind=Kind.USER, arn=OuterRef("user_arn"))
    rows = Identity.objects.filter(~Exists(synced), person__in=people).order_by().values_list("person")
    return dict(rows.annotate(number=Count("pk")))


def lines_by_hand(users: Sequence[Entity]) -> dict[str, Identity]:
    """Return the links made by hand of users, by ARN, with one query."""
    rows = Identity.objects.filter(user_arn__in=[entity.arn for entity in users]).select_related("person")
    return {identity.user_arn: identity for identity in rows}


def unconfirmed_of(person_id: UUID) -> int:
    """Return how many users match a person without confirmation, with one query."""
    return waiting(UserMatch.objects.filter(person=person_id, standing=LinkStanding.KNOWN)).count()


def waiting(rows: QuerySet[UserMatch]) -> QuerySet[UserMatch]:
    """Return the matches of living users that no one is linked to by hand."""
    tied = Identity.objects.filter(user_arn=OuterRef("user__arn")).filter(
        Q(aws_id="") | Q(aws_id=OuterRef("user__aws_id"))
    )
    living = rows.filter(user__gone_at__isnull=True, account__removed_at__isnull=True)
    return living.filter(~Exists(tied))
