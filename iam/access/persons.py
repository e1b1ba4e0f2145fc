"""Finds and counts the people behind IAM users. A person can have several users, and some users are
unmatched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, Protocol, TypeVar

from django.db.models import Q, QuerySet

from iam.access.whole_classes import WholeClasses
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
"""For more users than this, all matches are loaded at once."""
MAIL_TAGS: Final = ("email", "mail", "e-mail")


class NamedPrincipal(Protocol):
    """A user or role with names: a member of an index, or a row of the mirror."""

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
    """The fields of a user that are needed to find its person."""

    @property
    def id(self) -> int: ...
    @property
    def arn(self) -> str: ...
    @property
    def unique_id(self) -> str: ...


N = TypeVar("N", bound=NamedPrincipal)


@dataclass(frozen=True, slots=True)
class PrincipalCount:
    """Counts of users, distinct people matched to them, unmatched users, and roles."""

    users: int = 0
    people: int = 0
    unmatched: int = 0
    roles: int = 0

    @property
    def total(self) -> int:
        """The number of users and roles."""
        return self.users + self.roles

    @property
    def words(self) -> str:
        """'70 IAM users (54 people) and 3 roles'; 'no one' if empty."""
        parts = []
        if self.users:
            behind = [counted(self.people, "person", "people")] if self.people else []
            behind += [f"{self.unmatched:,} unmatched"] if self.unmatched else []
            parts.append(f"{counted(self.users, 'IAM user')} ({', '.join(behind)})")
        if self.roles:
            parts.append(counted(self.roles, "role"))
        return " and ".join(parts) or "no one"


def count_of(members: Iterable[IndexedPrincipal]) -> PrincipalCount:
    """Count principals. Two queries per 1,000 users."""
    users = list[IndexedPrincipal]()
    roles = 0
    for member in members:
        if member.kind is PrincipalKind.USER:
            users.append(member)
        elif member.kind is PrincipalKind.ROLE:
            roles += 1
    return users_and_roles([users], roles)


def users_and_roles(parts: Sequence[Sequence[IndexedPrincipal]], roles: int) -> PrincipalCount:
    """Count users, given in parts, together with a number of roles."""
    size = sum(map(len, parts))
    owners = _people_of_many(parts) if size > MANY_USERS else people_of(list(chain.from_iterable(parts)))
    return PrincipalCount(size, len(set(owners.values())), size - len(owners), roles)


def people_of(users: Sequence[CountedUser]) -> dict[int, str]:
    """The email address of the person matched to each user, by the user's primary key; doubtful matches are
    left out.

    Two queries per 1,000 users; for many users, two queries that load all matches.
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
    """Queries for matches: (primary key, person's email, address) by matching method, and (ARN, unique id,
    email) by hand.
    """
    certain = UserMatch.objects.exclude(standing__in=DOUBTS).exclude(person=None, address="")
    signs = certain.order_by().values_list("pk", "person__email", "address")
    return signs, Identity.objects.order_by().values_list("user_arn", "aws_id", "person__email")


def _people_of_many(parts: Iterable[Sequence[IndexedPrincipal]]) -> dict[int, str]:
    """Like `people_of`, for so many users that all matches are loaded.

    User objects are created only in accounts with matches by hand.
    """
    signs, by_hand = _matches()
    numbers: set[int] = set()
    for part in parts:
        if isinstance(part, WholeClasses | ClassMembers):
            numbers.update(part.ids)
        else:
            numbers.update(user.id for user in part)
    owners = {pk: (mail or address).lower() for pk, mail, address in signs.iterator() if pk in numbers}
    by_arn = {arn: (aws_id, mail) for arn, aws_id, mail in by_hand.iterator()}
    accounts = {account_of(arn) for arn in by_arn}
    for part in parts:
        if isinstance(part, WholeClasses) and part.account not in accounts:
            continue
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
    """Add the owners of users. Matches by hand override the matching methods."""
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

    Two queries per word.
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
        """True if every word is found."""
        text = searched(member)
        for word, arns, numbers in zip(self._words, self._arns, self._numbers, strict=True):
            if word not in text and member.arn not in arns and member.id not in numbers:
                return False
        return True


def text_filter(text: str) -> Q:
    """The same search as `PersonMatcher`, as a filter on rows with `search` (see `searched`), `arn` and
    `principal`.
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
    """The search text of a principal in lower case: ARN, display name, and the email address in its tags."""
    return folded(f"{member.arn} {shown_name(member)} {mail_tag(member)}")


def shown_name(member: NamedPrincipal) -> str:
    """The display name of a user, or the name of a role."""
    return display_name(member.name, member.tags) if member.kind is PrincipalKind.USER else member.name


def shown_names(members: Iterable[NamedPrincipal]) -> dict[int, str]:
    """The display names of principals by primary key, using the names of matched people. At most
    one query.
    """
    named = {member.id: member for member in members}
    names = {pk: member.name for pk, member in named.items()}
    users = {
        pk: (member.name, shown_name(member))
        for pk, member in named.items()
        if member.kind is PrincipalKind.USER
    }
    return names | (with_people(users) if users else {})


def mail_tag(member: NamedPrincipal) -> str:
    """The email address in the principal's tags, or ""."""
    for key, value in (member.tags or {}).items():
        if key.lower() in MAIL_TAGS:
            return value
    return ""


def named_exactly(members: Iterable[N], text: str) -> list[N]:
    """The principals whose ARN, login, display name or email address, or whose person's name or address,
    equals the text, ignoring case.
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
