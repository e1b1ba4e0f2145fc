"""A pasted list of people: the parser and matcher for every page that takes one. It reports what is cut, and
the basis of each match.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from iam.directory.models import Identity, Person
from iam.linking.models import LinkStanding, UserMatch
from iam.mirror.display_names import display_name
from iam.mirror.models import Entity, Kind, TagSet, valid_at
from iam.search_words import folded, spellings

MAX_LINES: Final = 1_000
"""Maximum number of names to match at once. The rest is returned, to be pasted next."""
MAX_NAME_LENGTH: Final = 2_048
"""Maximum length of a name. ARNs are the longest."""
_SEPARATORS: Final = re.compile(r"[\n\r,;\t]+")
_MAILBOX: Final = re.compile(r"(.*)<([^<>\s]+@[^<>\s]+)>")


@dataclass(frozen=True, slots=True)
class PastedMatch:
    """An entity of the mirror that a line names. `basis` says how; `is_sure` is True for its own name or a
    link made by hand. Those who can write tags in AWS can name themselves, so a match by tag or rule needs
    confirmation.
    """

    entity: Entity
    basis: str
    is_sure: bool


@dataclass(frozen=True, slots=True)
class PastedLine:
    """A pasted line and everything that it can mean."""

    text: str
    matches: tuple[PastedMatch, ...] = ()

    @property
    def chosen(self) -> Entity | None:
        """The only certain match, or None."""
        sure = [match.entity for match in self.matches if match.is_sure]
        return sure[0] if len(sure) == 1 else None


@dataclass(frozen=True, slots=True)
class PastedList:
    """The result of matching a list. `left_over` are the lines beyond the limit, which were not matched."""

    lines: tuple[PastedLine, ...] = ()
    left_over: tuple[str, ...] = ()

    @property
    def chosen(self) -> list[Entity]:
        """The certain matches, without duplicates, in the order of the list."""
        return list(dict.fromkeys(line.chosen for line in self.lines if line.chosen is not None))

    @property
    def unknown(self) -> list[str]:
        """The lines that match no one."""
        return [line.text for line in self.lines if not line.matches]

    @property
    def to_decide(self) -> list[PastedLine]:
        """The lines that match several entities, or only by a tag or a rule."""
        return [line for line in self.lines if line.matches and line.chosen is None]


@dataclass(slots=True)
class _UsersByText:
    """Matches by folded text."""

    matches: dict[str, dict[int, PastedMatch]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, text: str, entity: Entity, basis: str, *, is_sure: bool) -> None:
        """Add a match. A certain match replaces an uncertain one of the same user."""
        key = folded(text)
        present = self.matches[key].get(entity.pk)
        if present is None or (is_sure and not present.is_sure):
            self.matches[key][entity.pk] = PastedMatch(entity, basis, is_sure)

    def of(self, text: str) -> tuple[PastedMatch, ...]:
        """Return the matches of a text: only certain ones, if there are any."""
        matches = list(self.matches.get(folded(text), {}).values())
        sure = [match for match in matches if match.is_sure]
        return tuple(sorted(sure or matches, key=lambda match: (match.entity.account.name, match.entity.pk)))


def split_list(text: str) -> list[str]:
    """Return the names in a list without duplicates: one per line, or separated by commas, semicolons or
    tabs. `Maya <maya@example.com>` becomes the address.
    """
    return list(dict.fromkeys(_pieces(text)))


def repeated_in(text: str) -> int:
    """Return how many names in a list are duplicates."""
    return len(list(_pieces(text))) - len(split_list(text))


def _pieces(text: str) -> Iterator[str]:
    for piece in _SEPARATORS.split(text):
        name = " ".join(piece.strip().strip("\"'\ufeff").split())
        mailbox = _MAILBOX.fullmatch(name)
        if mailbox:
            name = mailbox[2]
        if name:
            yield name[:MAX_NAME_LENGTH]


def match_list(text: str, *, among: QuerySet[Entity], most: int = MAX_LINES) -> PastedList:
    """Match a list with the users, groups or roles in `among`, with a handful of queries."""
    names = split_list(text)
    return PastedList(tuple(match_names(names[:most], among=among)), tuple(names[most:]))


def match_names(names: Sequence[str], *, among: QuerySet[Entity]) -> list[PastedLine]:
    """Match each name, in order. Use it for rows of a file, which are split already."""
    wanted = list(names)
    known = _UsersByText()
    _by_own_name(known, wanted, among)
    _by_person(known, wanted, among)
    _by_sign(known, wanted, among)
    rest = [name for name in wanted if " " in name and not known.of(name)]
    if rest:
        _by_name_tag(known, rest, among)
        _by_login(known, [name for name in rest if not known.of(name)], among)
    return [PastedLine(name, known.of(name)) for name in wanted]


def _by_own_name(known: _UsersByText, names: Sequence[str], among: QuerySet[Entity]) -> None:
    """Add matches by ARN and user name. IAM user names are unique regardless of case."""
    small = [name.lower() for name in names]
    signs = UserMatch.objects.filter(login__in=small).values("user")
    rows = among.filter(Q(arn__in=names) | Q(name__in={*names, *small}) | Q(pk__in=signs))
    for entity in rows.select_related("account"):
        name_basis = "User name" if entity.kind == Kind.USER else "Name"
        known.add(entity.arn, entity, "ARN", is_sure=True)
        known.add(entity.name, entity, name_basis, is_sure=True)


def _people_called(names: Sequence[str]) -> QuerySet[Person]:
    """Return the people with these addresses and names, in any case."""
    small = [name.lower() for name in names]
    people = Person.objects.alias(low=Lower("name"), mail=Lower("email"))
    return people.filter(Q(mail__in=small) | Q(low__in=small) | Q(name__in=names))


def _by_person(known: _UsersByText, names: Sequence[str], among: QuerySet[Entity]) -> None:
    """Add users linked by hand to people with these addresses and names."""
    names = list(chain.from_iterable(map(spellings, names)))
    people_meant = _people_called(names)
    identities = Identity.objects.filter(person__in=people_meant).select_related("person")
    by_arn = {identity.user_arn: identity for identity in identities}
    for entity in among.filter(arn__in=by_arn, kind=Kind.USER).select_related("account"):
        identity = by_arn[entity.arn]
        if identity.aws_id not in ("", entity.aws_id):
            continue
        basis = f"Linked to {identity.person.name}"
        known.add(identity.person.email, entity, basis, is_sure=True)
        known.add(identity.person.name, entity, basis, is_sure=True)


def _by_sign(known: _UsersByText, names: Sequence[str], among: QuerySet[Entity]) -> None:
    """Add users matched by tags and rules with people of these addresses and names."""
    names = list(chain.from_iterable(map(spellings, names)))
    small = [name.lower() for name in names]
    people_meant = _people_called(names).values("pk")
    signs = UserMatch.objects.filter(
        Q(address__in=small) | Q(person__in=people_meant, standing=LinkStanding.KNOWN),
        user__in=among.values("pk"),
    ).select_related("person", "user__account")
    for sign in signs:
        basis = f"{sign.words[:1].upper()}{sign.words[1:]}" if sign.words else "Email tag"
        if sign.address:
            known.add(sign.address, sign.user, basis, is_sure=False)
        if sign.person is not None:
            known.add(sign.person.email, sign.user, basis, is_sure=False)
            known.add(sign.person.name, sign.user, basis, is_sure=False)


def _by_name_tag(known: _UsersByText, names: Sequence[str], among: QuerySet[Entity]) -> None:
    """Add users whose name tag is one of these names. Tags are not indexed by value, so use it only for names
    without any other match.
    """
    small = {folded(name) for name in names}
    rows = TagSet.objects.filter(
        valid_at(None), entity__in=among.filter(kind=Kind.USER).values("pk"), tags__icontains="name"
    )
    names_by_user: dict[int, str] = {}
    for pk, tags in rows.values_list("entity_id", "tags").iterator(chunk_size=5_000):
        name = display_name("", tags)
        if folded(name) in small:
            names_by_user[pk] = name
    _add_named(known, names_by_user, among, "Name tag")


def _by_login(known: _UsersByText, names: Sequence[str], among: QuerySet[Entity]) -> None:
    """Add users such as maya.okafor for “Maya Okafor”, if there is no other match."""
    logins: Mapping[str, str] = {".".join(name.lower().split()): name for name in names}
    rows = among.filter(name__in=logins, kind=Kind.USER).values_list("pk", "name")
    _add_named(known, {pk: logins[login] for pk, login in rows}, among, "User name", is_sure=True)


def _add_named(
    known: _UsersByText,
    names_by_user: Mapping[int, str],
    among: QuerySet[Entity],
    basis: str,
    *,
    is_sure: bool = False,
) -> None:
    for entity in among.filter(pk__in=list(names_by_user)).select_related("account"):
        known.add(names_by_user[entity.pk], entity, basis, is_sure=is_sure)


def in_words(names: Iterable[str], *, most: int = 10) -> str:
    """Return some names and the number of further ones."""
    listed = list(names)
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
