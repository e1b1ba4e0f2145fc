"""How many people are behind IAM users: a person may have several users, and some users belong to nobody
known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, Protocol, TypeVar

from django.db.models import Q, QuerySet

from iam.directory.models import Identity
from iam.linking.models import UserMatch
from iam.linking.ownership import DOUBTS
from iam.mirror.display_names import display_name, with_people
from iam.mirror.pull.bulk import chunks
from iam.phrases import counted
from iam.policy.index.classes import ClassMembers, IndexedPrincipal
from iam.policy.request import PrincipalKind, account_of
from iam.search_words import folded, matches, words_of

MANY_USERS: Final = 4_000
"""Of more users than these, the matches of all are read."""
MAIL_TAGS: Final = ("email", "mail", "e-mail")


class NamedPrincipal(Protocol):
    """What a user or role is called: a member of an index, or a row of the mirror."""

    @property
    def id(self) -> int: ...
    @property
    def arn(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> PrincipalKind: ...
    @property
    def tags(self) -> Mapping[str, str] | None: ...


class CountedUser(Protocol):
    """As much of a user as it takes to find the person."""

    @property
    def id(self) -> int: ...
    @property
    def arn(self) -> str: ...
    @property
    def unique_id(self) -> str: ...


N = TypeVar("N", bound=NamedPrincipal)


@dataclass(frozen=True, slots=True)
class PrincipalCount:
    """Users, the distinct people that they are matched to, users that are matched to nobody, and roles."""

    users: int = 0
    people: int = 0
    unmatched: int = 0
    roles: int = 0

    @property
    def total(self) -> int:
        """Users and roles."""
        return self.users + self.roles

    @property
    def words(self) -> str:
        """'70 IAM users (54 people) and 3 roles'; 'no one' where there are none."""
        parts = []
        if self.users:
            behind = [counted(self.people, "person", "people")] if self.people else []
            behind += [f"{self.unmatched:,} unmatched"] if self.unmatched else []
            parts.append(f"{counted(self.users, 'IAM user')} ({', '.join(behind)})")
        if self.roles:
            parts.append(counted(self.roles, "role"))
        return " and ".join(parts) or "no one"


def count_of(members: Iterable[IndexedPrincipal]) -> PrincipalCount:
    """Count some principals; two queries for each 1,000 users."""
    users = list[IndexedPrincipal]()
    roles = 0
    for member in members:
        if member.kind is PrincipalKind.USER:
            users.append(member)
        elif member.kind is PrincipalKind.ROLE:
            roles += 1
    return users_and_roles([users], roles)


def users_and_roles(parts: Sequence[Sequence[IndexedPrincipal]], roles: int) -> PrincipalCount:
    """The same of users, part by part, and a number of roles."""
    size = sum(map(len, parts))
    owners = _people_of_many(parts) if size > MANY_USERS else people_of(list(chain.from_iterable(parts)))
    return PrincipalCount(size, len(set(owners.values())), size - len(owners), roles)


def people_of(users: Sequence[CountedUser]) -> dict[int, str]:
    """The email address of the person whom each user is matched to, by the user's number; users in doubt are
    left out.

    Two queries for each 1,000 users; of many users two in all, which read every match from end to end.
    """
    by_pk = {user.id: user for user in users}
    owners: dict[int, str] = {}
    signs, by_hand = _matches()
    if len(users) > MANY_USERS:
        _match(owners, by_pk, signs.iterator(), by_hand.iterator())
        return owners
    for chunk in chunks(list(users)):
        some_signs = signs.filter(pk__in=[user.id for user in chunk])
        _match(owners, by_pk, some_signs, by_hand.filter(user_arn__in=[user.arn for user in chunk]))
    return owners


def _matches() -> tuple[QuerySet[Any, Any], QuerySet[Any, Any]]:
    """(number, email address, address) of users by what the ways say, and (ARN, unique id, email address) by
    hand.
    """
    certain = UserMatch.objects.exclude(standing__in=DOUBTS).exclude(person=None, address="")
    signs = certain.order_by().values_list("pk", "person__email", "address")
    return signs, Identity.objects.order_by().values_list("user_arn", "aws_id", "person__email")


def _people_of_many(parts: Iterable[Sequence[IndexedPrincipal]]) -> dict[int, str]:
    """As `people_of`, of so many users that every match is read: a user is made only where one was said by
    hand.
    """
    signs, by_hand = _matches()
    numbers: set[int] = set()
    for part in parts:
        if isinstance(part, ClassMembers):
            numbers.update(part.ids)
        else:
            numbers.update(user.id for user in part)
    owners = {pk: (mail or address).lower() for pk, mail, address in signs.iterator() if pk in numbers}
    by_arn = {arn: (aws_id, mail) for arn, aws_id, mail in by_hand.iterator()}
    accounts = {account_of(arn) for arn in by_arn}
    for part in parts:
        if isinstance(part, ClassMembers) and part.cls.account not in accounts:
            continue
        for user in part:
            aws_id, mail = by_arn.get(user.arn, ("", ""))
            if mail and aws_id in ("", user.unique_id):
                owners[user.id] = mail.lower()
    return owners


def _match(
    owners: dict[int, str],
    by_pk: Mapping[int, CountedUser],
    signs: Iterable[tuple[int, str | None, str]],
    by_hand: Iterable[tuple[str, str, str]],
) -> None:
    """Add the owners of users; what was said by hand goes before what the ways say."""
    for pk, mail, address in signs:
        if pk in by_pk:
            owners[pk] = (mail or address).lower()
    by_arn = {arn: (aws_id, mail) for arn, aws_id, mail in by_hand}
    if not by_arn:
        return
    for user in by_pk.values():
        if user.arn in by_arn:
            aws_id, mail = by_arn[user.arn]
            if aws_id in ("", user.unique_id):
                owners[user.id] = mail.lower()


class PersonMatcher:
    """Finds principals by any part of display name, login, ARN, or the name or email address of their person.
    Two queries.
    """

    def __init__(self, text: str) -> None:
        self._words = words_of(text)
        self._arns: list[set[str]] = []
        self._numbers: list[set[int]] = []
        for word in self._words:
            of_person = matches(word, "person__name", "person__email")
            identities = Identity.objects.filter(of_person)
            self._arns.append(set(identities.values_list("user_arn", flat=True)))
            signs = UserMatch.objects.filter(of_person | matches(word, "address"))
            self._numbers.append(set(signs.exclude(standing__in=DOUBTS).values_list("pk", flat=True)))

    def matches(self, member: NamedPrincipal) -> bool:
        """Whether every word is found."""
        text = searched(member)
        for word, arns, numbers in zip(self._words, self._arns, self._numbers, strict=True):
            if word not in text and member.arn not in arns and member.id not in numbers:
                return False
        return True


def text_filter(text: str) -> Q:
    """What `Matcher` finds, as a condition on rows that have `search` (`searched`), `arn`, and the number of
    the principal.
    """
    condition = Q()
    for word in words_of(text):
        of_person = matches(word, "person__name", "person__email")
        identities = Identity.objects.filter(of_person)
        signs = UserMatch.objects.filter(of_person | matches(word, "address")).exclude(standing__in=DOUBTS)
        condition &= (
            Q(search__contains=word)
            | Q(arn__in=identities.values("user_arn"))
            | Q(principal__in=signs.values("pk"))
        )
    return condition


def searched(member: NamedPrincipal) -> str:
    """By what else a principal is found: its ARN, display name and the email address in its tags, in lower
    case.
    """
    return folded(f"{member.arn} {shown_name(member)} {mail_tag(member)}")


def shown_name(member: NamedPrincipal) -> str:
    """The display name of a user, the name of a role."""
    return display_name(member.name, member.tags) if member.kind is PrincipalKind.USER else member.name


def shown_names(members: Iterable[NamedPrincipal]) -> dict[int, str]:
    """The same of each, by number, with users called as their people write themselves; one query at most."""
    named = {member.id: member for member in members}
    names = {pk: member.name for pk, member in named.items()}
    users = {
        pk: (member.name, shown_name(member))
        for pk, member in named.items()
        if member.kind is PrincipalKind.USER
    }
    return names | (with_people(users) if users else {})


def mail_tag(member: NamedPrincipal) -> str:
    """The email address in the tags of a user; empty where none is."""
    for key, value in (member.tags or {}).items():
        if key.lower() in MAIL_TAGS:
            return value
    return ""


def named_exactly(members: Iterable[N], text: str) -> list[N]:
    """Those whose ARN, login, display name, email address, or name of their person is the text, in whatever
    case.
    """
    wanted = text.strip().lower()
    direct = list[N]()
    others = list[N]()
    for member in members:
        (direct if wanted in (member.arn.lower(), member.name.lower()) else others).append(member)
    if direct:
        return direct
    spoken = folded(wanted)
    shown = [member for member in others if spoken in map(folded, (shown_name(member), mail_tag(member)))]
    if shown:
        return shown
    named = matches(wanted, "person__name", "person__email", by="iexact")
    arns = set(Identity.objects.filter(named).values_list("user_arn", flat=True))
    signs = UserMatch.objects.filter(named | Q(address=wanted)).exclude(standing__in=DOUBTS)
    numbers = set(signs.values_list("pk", flat=True))
    return [member for member in others if member.arn in arns or member.id in numbers]
