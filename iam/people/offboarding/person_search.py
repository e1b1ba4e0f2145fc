"""Searches people by any part of their name, email address, user name or ARN, ignoring case and accents."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Final

from django.db.models import Q, QuerySet

from iam.directory.models import Person
from iam.guard import Viewer
from iam.linking.machines import machine_users
from iam.linking.models import UserMatch
from iam.linking.ownership import users_of
from iam.mirror.models import Entity, Kind, TagSet, valid_at
from iam.mirror.queries.visibility import visible_entities
from iam.people.offboarding.leaver_lookup import LeaverUsers, limited_to_viewer, people_of, reach_of
from iam.search_words import APOSTROPHES, folded

MAX_PEOPLE: Final = 20
"""Maximum number of people to show."""
_MAX_CANDIDATES: Final = 400
_NAMED: Final = ("DisplayName", "Display-Name", "Display_Name", "FullName", "Full-Name", "Full_Name", "Name")
_NAME_TAGS: Final = sorted({*_NAMED, *(name.lower() for name in _NAMED), "displayName", "fullName"})
"""The spellings of the tags that hold a name (`iam.mirror.display_names`)."""
_SPECIAL: Final = {
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "ı": "i",
}


@dataclass(frozen=True, slots=True)
class PersonMatch:
    """A person who was found, with the user whose page opens."""

    user: Entity
    person: LeaverUsers


@dataclass(frozen=True, slots=True)
class PersonMatches:
    """The best matches first. `is_cut` means that there are more than shown."""

    people: list[PersonMatch]
    is_cut: bool = False


def find_people(viewer: Viewer, text: str, *, most: int = MAX_PEOPLE) -> PersonMatches:
    """Return the people that the viewer can request changes for and that match a text, or all by name if it
    is empty. Machine users are left out. The number of queries is constant.
    """
    words = fold(text).split()
    living = visible_entities(reach_of(viewer)).filter(kind=Kind.USER, gone_at__isnull=True)
    if words:
        living = living.filter(_wanted(words, text.strip()))
    users = list(
        living.select_related("account").order_by("name", "account__name", "pk")[: _MAX_CANDIDATES + 1]
    )
    is_cut = len(users) > _MAX_CANDIDATES
    users = users[:_MAX_CANDIDATES]
    machines = machine_users(users)
    users = [user for user in users if user.pk not in machines]
    people = limited_to_viewer(people_of(users), viewer=viewer) if users else []
    matches: dict[frozenset[int], PersonMatch] = {}
    for user, person in zip(users, people, strict=True):
        matches.setdefault(frozenset(entity.pk for entity in person.users), PersonMatch(user, person))
    ranked = sorted(matches.values(), key=lambda match: _rank(match, words))
    return PersonMatches(ranked[:most], is_cut or len(ranked) > most)


def fold(text: str) -> str:
    """Return a text in lower case, without accents, with straight apostrophes: “Zoë Łuczak” becomes “zoe
    luczak”.
    """
    low = "".join(_SPECIAL.get(letter, letter) for letter in folded(text.casefold()))
    return "".join(
        letter for letter in unicodedata.normalize("NFKD", low) if not unicodedata.combining(letter)
    )


def without_users(text: str, *, most: int = 5) -> list[Person]:
    """Return people of the directory who match a text and have no IAM user, for viewers who manage all of
    Gatehouse.
    """
    people = list(_matching_people(fold(text).split()).order_by("name")[:50]) if text.strip() else []
    users = users_of(people)
    return [person for person in people if not users.get(person.pk)][:most]


def _rank(match: PersonMatch, words: Sequence[str]) -> tuple[int, str, int]:
    """Return the sort key: whole names before prefixes before other parts, then by name. Without a text,
    people with a known address come first.
    """
    text = " ".join(words)
    name = fold(match.person.name)
    known = (name, match.person.email, fold(match.user.name))
    if not text:
        place = 0 if match.person.email else 1
    elif text in known:
        place = 0
    elif any(value.startswith(text) for value in known):
        place = 1
    else:
        place = 2
    return place, name, match.user.pk


def _wanted(words: Sequence[str], text: str) -> Q:
    patterns = [_pattern(word) for word in words]
    tagged = Q(pk__in=[])
    for tag in _NAME_TAGS:
        tagged |= _each(f"tags__{tag}", patterns)
    tag_sets = TagSet.objects.filter(tagged, valid_at(None), entity__kind=Kind.USER)
    addresses = UserMatch.objects.filter(_each("address", patterns)).exclude(address="")
    people = list(_matching_people(words)[:_MAX_CANDIDATES])
    owned_users = chain.from_iterable(users_of(people).values())
    wanted = _each("name", patterns) | Q(pk__in={owned.user.pk for owned in owned_users})
    wanted |= Q(pk__in=tag_sets.values("entity")) | Q(pk__in=addresses.values("user"))
    if text.startswith("arn:"):
        wanted |= Q(arn__iexact=text)
    return wanted


def _matching_people(words: Sequence[str]) -> QuerySet[Person]:
    people = Person.objects.all()
    for word in words:
        pattern = _pattern(word)
        people = people.filter(Q(name__iregex=pattern) | Q(email__iregex=pattern))
    return people


def _each(field: str, patterns: Sequence[str]) -> Q:
    """Return the condition that one field matches all patterns."""
    wanted = Q()
    for pattern in patterns:
        wanted &= Q(**{f"{field}__iregex": pattern})
    return wanted


def _pattern(word: str) -> str:
    """Return a regular expression, for SQLite and PostgreSQL, that matches the word with or
    without accents.
    """
    variants = _variants()
    parts = []
    for letter in word:
        if letter in APOSTROPHES:
            parts.append(f"[{APOSTROPHES}]")
            continue
        others = variants.get(letter, "")
        if others:
            parts.append(f"[{letter}{others}]")
        else:
            parts.append(re.escape(letter))
    return "".join(parts)


def named_exactly(matches: PersonMatches, text: str) -> list[PersonMatch]:
    """Return the matches whose full name equals the text, ignoring case and accents."""
    return [match for match in matches.people if fold(match.person.name) == fold(text.strip())]


@lru_cache(maxsize=1)
def _variants() -> dict[str, str]:
    """Return the accented letters of Latin scripts, lower and upper case, by the letter without accent."""
    variants: dict[str, list[str]] = defaultdict(list)
    for number in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        letter = chr(number)
        plain = fold(letter)
        if len(plain) == 1 and plain.isascii() and plain.isalpha():
            variants[plain].append(letter)
    return {plain: "".join(letters) for plain, letters in variants.items()}
