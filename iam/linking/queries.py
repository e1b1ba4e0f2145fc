"""Queries for the pages on linking: a person's users that a viewer can see, and users that wait for a
decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final, TypeVar
from uuid import UUID

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Lower

from iam.directory.models import Identity, OwnedUser, Person, Role
from iam.guard import Viewer
from iam.keyset import KeysetOrder, KeysetPlace, RowPage, page
from iam.linking.models import ExcludedMatch, LinkStanding, MatchedAccount, UserMatch
from iam.linking.ownership import (
    DOUBTS,
    LinkedUser,
    UserOwnership,
    owners_of,
    unsynced_users,
    users_of,
    waiting,
)
from iam.linking.rights import linkable, people_to_choose
from iam.mirror.models import NEVER, Entity, Kind, Section, Usage, UserCredentials, valid_at
from iam.mirror.models.accounts import unknown_at
from iam.mirror.pull.sections import USERS
from iam.mirror.queries.lists.freshness import accounts_concerned
from iam.mirror.queries.visibility import visible_entities
from iam.search_words import matches

M = TypeVar("M", bound=Model)
PAGE: Final = 50
MAX_MATCHES: Final = 20
CAP: Final = 1_000
"""Larger numbers are not counted exactly."""


@dataclass(frozen=True, slots=True)
class LinkedUserLine:
    """A user of a person with their sign-in data. `may_say` means that the viewer can change the link."""

    user: Entity
    ownership: UserOwnership
    credentials: UserCredentials | None
    used_at: datetime | None
    may_say: bool


@dataclass(frozen=True, slots=True)
class PersonUsers:
    """All users of the person of a user. `unseen` is the number of further users outside the
    viewer's scope.
    """

    ownership: UserOwnership
    lines: tuple[LinkedUserLine, ...]
    unseen: int
    may_say: bool


def accounts_not_matched(viewer: Viewer) -> int:
    """Return the number of visible accounts whose users were synced but not yet matched with people. One
    query.
    """
    synced = Section.objects.filter(account=OuterRef("pk"), name=USERS).exclude(unknown_at(None))
    matched = MatchedAccount.objects.filter(account=OuterRef("pk"))
    # An account that was matched before its first sync had no users.
    matched = matched.exclude(revision=0, account__revision__gt=0)
    accounts = accounts_concerned(viewer.scope).filter(Exists(synced))
    return accounts.exclude(Exists(matched)).count()


def everything_of(user: Entity, *, viewer: Viewer) -> PersonUsers:
    """Return all users of the owner of a user. The number of queries is small and constant."""
    ownership = owners_of([user])[user.pk]
    if ownership.person:
        users_by_owner = users_of([ownership.person], addresses=[])
    else:
        users_by_owner = users_of([], addresses=[ownership.address])
    owned_users = list(chain.from_iterable(users_by_owner.values())) or [LinkedUser(user, ownership)]
    pks = {owned.user.pk for owned in owned_users}
    visible = set(visible_entities(viewer).filter(pk__in=pks).values_list("pk", flat=True))
    may_link = set(linkable(viewer).filter(pk__in=pks | {user.pk}).values_list("pk", flat=True))
    shown = [owned for owned in owned_users if owned.user.pk in visible]
    hidden_count = len(owned_users) - len(shown)
    return PersonUsers(ownership, lines_of(shown, may=may_link), hidden_count, user.pk in may_link)


def gone_of(person: Person, *, viewer: Viewer) -> list[Entity]:
    """Return deleted users that belonged to a person, as far as the viewer can see them, latest first. Two
    queries.
    """
    theirs = Q(pk__in=UserMatch.objects.filter(person=person).values("pk"))
    for arn, aws_id in Identity.objects.filter(person=person).values_list("user_arn", "aws_id"):
        link = Q(arn=arn)
        if aws_id:
            link &= Q(aws_id=aws_id)
        theirs |= link
    gone = visible_entities(viewer).filter(theirs, kind=Kind.USER, gone_at__isnull=False)
    rows = gone.filter(account__removed_at__isnull=True).select_related("account")
    return list(rows.order_by("-gone_at", "pk")[:MAX_MATCHES])


def lines_of(theirs: Sequence[LinkedUser], *, may: set[int]) -> tuple[LinkedUserLine, ...]:
    """Return users with their credentials and last use, with two queries."""
    pks = [owned_user.user.pk for owned_user in theirs]
    credentials = {
        credentials.user_id: credentials
        for credentials in UserCredentials.objects.filter(valid_at(None), user__in=pks)
    }
    used = dict(Usage.objects.filter(entity__in=pks).values_list("entity_id", "last_used_at"))
    return tuple(
        LinkedUserLine(
            owned_user.user,
            owned_user.ownership,
            credentials.get(owned_user.user.pk),
            used.get(owned_user.user.pk, NEVER),
            owned_user.user.pk in may,
        )
        for owned_user in theirs
    )


def people_found(viewer: Viewer, text: str) -> list[Person]:
    """Return people that the viewer can link a user to, by a part of name or address."""
    if not text.strip():
        return []
    people = people_to_choose(viewer).filter(matches(text.strip(), "name", "email"))
    return list(people.order_by("name", "pk")[:MAX_MATCHES])


def person_to_choose(viewer: Viewer, pk: UUID) -> Person | None:
    """Return the person, unless it is the viewer, or None."""
    return Person.objects.filter(pk=pk).exclude(pk=viewer.person_id).first()


def users_found(viewer: Viewer, text: str) -> list[Entity]:
    """Return living users without a linked person that the viewer can link, by the start of the user name."""
    start = text.strip().lower()
    if not start:
        return []
    signs = waiting(UserMatch.objects.filter(login__gte=start, login__lt=start + "\U0010ffff"))
    rows = _linkable(signs, viewer).select_related("user__account")
    return [sign.user for sign in rows.order_by("login", "user")[:MAX_MATCHES]]


PROPOSED, DOUBTFUL, UNLINKED, LINKED, APART = "proposed", "doubtful", "unlinked", "linked", "apart"
VIEWS: Final = (PROPOSED, DOUBTFUL, UNLINKED, LINKED, APART)


BY_LOGIN: Final = KeysetOrder("login", "pk")
BY_NAME: Final = KeysetOrder("low", "pk")


def _linkable(rows: QuerySet[M], viewer: Viewer) -> QuerySet[M]:
    """Return rows of users that the viewer can link. If that is everyone, the query isn't restricted."""
    if (Role.ADMINISTRATOR, "") in viewer.held:
        return rows
    return rows.filter(user__in=linkable(viewer).values("pk"))


def signs_of(view: str, viewer: Viewer) -> QuerySet[UserMatch]:
    """Return the matches of a view, for users that the viewer can link."""
    rows = UserMatch.objects.all()
    if view == PROPOSED:
        rows = rows.filter(standing=LinkStanding.KNOWN, person__isnull=False)
    elif view == DOUBTFUL:
        rows = rows.filter(standing__in=DOUBTS)
    elif view == UNLINKED:
        owned = OwnedUser.objects.filter(aws_id=OuterRef("user__aws_id"))
        rows = rows.filter(~Exists(owned), standing=LinkStanding.NOBODY)
    rows = _linkable(rows, viewer)
    if view == LINKED:
        tied = Identity.objects.filter(user_arn=OuterRef("user__arn"))
        return rows.filter(Exists(tied), user__gone_at__isnull=True, account__removed_at__isnull=True)
    return waiting(rows)


def any_sign(viewer: Viewer, says: Q) -> bool:
    """Return True if such a match exists for a user without a linked person that the viewer can link."""
    return waiting(_linkable(UserMatch.objects.filter(says), viewer)).exists()


def part_of(view: str, viewer: Viewer, *, after: KeysetPlace | None = None) -> RowPage[UserMatch]:
    """Return a page of a view, by user name. The number of queries is small and constant."""
    signs = signs_of(view, viewer).select_related("user__account", "person", "former")
    return page(signs, order=BY_LOGIN, size=PAGE, after=after)


def count_of(view: str, viewer: Viewer) -> int:
    """Return the number of rows in a view, up to a limit."""
    if view == APART:
        return marks(viewer).count()
    return int(signs_of(view, viewer).order_by().values("pk")[: CAP + 1].count())


def marks(viewer: Viewer) -> QuerySet[ExcludedMatch]:
    """Return the excluded matches, newest first."""
    living = ExcludedMatch.objects.filter(user__gone_at__isnull=True, user__account__removed_at__isnull=True)
    rows = _linkable(living, viewer)
    return rows.select_related("user__account", "person").order_by("-at", "-pk")


def same_names(signs: Sequence[UserMatch], *, viewer: Viewer) -> dict[int, list[tuple[Person, Entity]]]:
    """Return who is linked by hand to users of the same name in other accounts that the viewer can see, by
    user, as proposals. Three queries.
    """
    logins = {sign.login for sign in signs}
    twins = UserMatch.objects.filter(login__in=logins, user__gone_at__isnull=True).select_related(
        "user__account"
    )
    if not viewer.scope.sees_everything:
        twins = twins.filter(user__in=visible_entities(viewer).values("pk"))
    tied = Identity.objects.filter(user_arn=OuterRef("user__arn"))
    others = list(twins.filter(Exists(tied)).exclude(account__removed_at__isnull=False))
    rows = Identity.objects.filter(user_arn__in=[sign.user.arn for sign in others]).select_related("person")
    person_by_arn = {identity.user_arn: identity.person for identity in rows}
    apart = set(
        ExcludedMatch.objects.filter(user__in=[sign.pk for sign in signs]).values_list("user_id", "person_id")
    )
    by_login: dict[str, list[tuple[Person, Entity]]] = {}
    for sign in others:
        if sign.user.arn in person_by_arn:
            by_login.setdefault(sign.login, []).append((person_by_arn[sign.user.arn], sign.user))
    return {
        sign.pk: [
            (person, user)
            for person, user in by_login.get(sign.login, [])
            if user.account_id != sign.account_id and (sign.pk, person.pk) not in apart
        ]
        for sign in signs
    }


def names_of(signs: Iterable[UserMatch], *, viewer: Viewer) -> dict[str, str]:
    """Return the names of the people in matches, by person id as text. People outside the viewer's scope are
    not named. Two queries.
    """
    every_voice = chain.from_iterable(sign.said for sign in signs)
    pks = {voice["person"] for voice in every_voice if voice["person"]}
    known = persons(viewer).filter(pk__in=pks).values_list("pk", "name")
    return dict.fromkeys(pks, "Someone outside your scope") | {str(pk): name for pk, name in known}


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person in the list of people, with the users that the viewer can see."""

    person: Person
    lines: tuple[LinkedUserLine, ...]
    unseen: int
    unsynced: int = 0
    """The number of users linked to them that no sync has found yet."""


def persons(viewer: Viewer) -> QuerySet[Person]:
    """Return the people with a user that the viewer can see, or the whole directory if they can see
    everything.
    """
    if viewer.scope.sees_everything:
        return Person.objects.all()
    seen = visible_entities(viewer).filter(kind=Kind.USER, gone_at__isnull=True)
    linked_people = Identity.objects.filter(user_arn__in=seen.values("arn")).values("person")
    proposed_people = UserMatch.objects.filter(user__in=seen.values("pk"), person__isnull=False).values(
        "person"
    )
    return Person.objects.filter(Q(pk__in=linked_people) | Q(pk__in=proposed_people))


def people_part(
    viewer: Viewer, *, text: str = "", after: KeysetPlace | None = None
) -> tuple[list[PersonRow], KeysetPlace | None]:
    """Return a page of people by name, and the place of the next page. Nine queries."""
    people_found = persons(viewer).annotate(low=Lower("name"))
    if text:
        people_found = people_found.filter(matches(text, "name", "email"))
    people_page = page(people_found, order=BY_NAME, size=PAGE, after=after)
    people = people_page.rows
    theirs = users_of(people)
    users_of_all = list(chain.from_iterable(theirs.values()))
    pks = {owned_user.user.pk for owned_user in users_of_all}
    seen = set(visible_entities(viewer).filter(pk__in=pks).values_list("pk", flat=True))
    shown = [owned_user for owned_user in users_of_all if owned_user.user.pk in seen]
    lines = {line.user.pk: line for line in lines_of(shown, may=set())}
    rows = []
    unsynced = unsynced_users([person.pk for person in people])
    for person in people:
        own = theirs.get(person.pk, [])
        own_lines = tuple(lines[owned_user.user.pk] for owned_user in own if owned_user.user.pk in lines)
        rows.append(PersonRow(person, own_lines, len(own) - len(own_lines), unsynced.get(person.pk, 0)))
    return rows, people_page.after
