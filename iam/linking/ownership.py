"""Whose users are and how that is known, and all users of people: the one answer that everything else asks
for.

What gives somebody rights over a user (to see it as theirs, to enrol its MFA device, to get its links) takes
only what somebody has said: `confirmed`. What shows, warns, forbids or ends takes what the ways say as well.
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
    """Whose a user is. `person` None with an address: of somebody whom the directory does not know. `said`
    are the voices that disagree.
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
        """Whether several are meant, so that nobody is linked."""
        return self.standing in DOUBTS


NOBODY: Final = UserOwnership()


@dataclass(frozen=True, slots=True)
class LinkedUser:
    """One user of a person."""

    user: Entity
    ownership: UserOwnership


def confirmed(users: str = "user_arn") -> Exists:
    """A condition: somebody active is linked by hand to the user whose ARN a column has. For what gives
    rights and sends messages.
    """
    return Exists(Identity.objects.filter(user_arn=OuterRef(users), person__is_active=True))


def owners(arns: Iterable[str]) -> dict[str, Person]:
    """Who was linked by hand to users, by ARN, if they are active; one query."""
    rows = Identity.objects.filter(user_arn__in=set(arns), person__is_active=True).select_related("person")
    return {identity.user_arn: identity.person for identity in _valid(rows)}


def owner(user: Entity) -> Person | None:
    """Who has rights over a user as theirs."""
    return owners([user.arn]).get(user.arn)


def owns(person_id: UUID, *, user_arn: str) -> bool:
    """Whether an active person is linked by hand to the user of this name, and to the one who has it now."""
    rows = Identity.objects.filter(person=person_id, person__is_active=True, user_arn=user_arn)
    return _valid(rows).exists()


def is_linked(person_id: UUID, *, user: Entity) -> bool:
    """Whether somebody has said that just this user is theirs, active or not: who has left cannot sign in,
    and may come back.
    """
    rows = Identity.objects.filter(person=person_id, user_arn=user.arn)
    return rows.filter(aws_id__in=["", user.aws_id]).exists()


def _valid(rows: QuerySet[Identity]) -> QuerySet[Identity]:
    """Without what was said of a user who is gone, and whose name another one has by now."""
    other = Entity.objects.filter(
        arn=OuterRef("user_arn"), kind=Kind.USER, gone_at__isnull=True, account__removed_at__isnull=True
    ).exclude(aws_id=OuterRef("aws_id"))
    return rows.exclude(Q(Exists(other)) & ~Q(aws_id=""))


def people_concerned(arns: Iterable[str]) -> frozenset[UUID]:
    """Everybody of whom it is said, by hand or by any way, that a user is theirs: for what keeps people from
    deciding about themselves. Two queries.
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
    """Whose each user is; two queries, whatever their number."""
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
    """All living users of people, by their ids, and of addresses that nobody of the directory has; four
    queries, whatever their number.

    Beyond what somebody sees: anyone who shows it filters by what the viewer may see.
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
    """How many users each person was linked to that no sync of their account has found yet; one query."""
    synced = Entity.objects.filter(kind=Kind.USER, arn=OuterRef("user_arn"))
    rows = Identity.objects.filter(~Exists(synced), person__in=people).order_by().values_list("person")
    return dict(rows.annotate(number=Count("pk")))


def lines_by_hand(users: Sequence[Entity]) -> dict[str, Identity]:
    """What was said of users by hand, by ARN; one query."""
    rows = Identity.objects.filter(user_arn__in=[entity.arn for entity in users]).select_related("person")
    return {identity.user_arn: identity for identity in rows}


def unconfirmed_of(person_id: UUID) -> int:
    """How many users a way says to be somebody's that nobody has confirmed; one query."""
    return waiting(UserMatch.objects.filter(person=person_id, standing=LinkStanding.KNOWN)).count()


def waiting(rows: QuerySet[UserMatch]) -> QuerySet[UserMatch]:
    """Of signs, those of living users to whom nobody was linked by hand."""
    tied = Identity.objects.filter(user_arn=OuterRef("user__arn")).filter(
        Q(aws_id="") | Q(aws_id=OuterRef("user__aws_id"))
    )
    living = rows.filter(user__gone_at__isnull=True, account__removed_at__isnull=True)
    return living.filter(~Exists(tied))
