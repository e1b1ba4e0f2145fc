"""Whose a user is by the ways of the organization, pure: each way has a voice, and only one that all agree
with links.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from uuid import UUID

from iam.linking.models import LinkStanding, MatchMethod
from iam.linking.patterns import NamePattern


@dataclass(frozen=True, slots=True)
class MatchRules:
    """The ways as they are, or as they would be: keys of tags in small letters, whether a user name may be an
    address, rules for names.
    """

    tag_keys: tuple[str, ...] = ("email",)
    by_address: bool = True
    rules: tuple[NamePattern, ...] = ()


@dataclass(frozen=True, slots=True)
class UserFacts:
    """What is known of a user: the name, the tags (keys in small letters), and who was said not to be
    meant.
    """

    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    apart: Collection[UUID] = ()


@dataclass(frozen=True, slots=True)
class MatchEvidence:
    """One way names one person, or an address that is nobody's."""

    person: UUID | None
    address: str
    how: MatchMethod
    words: str

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        person = str(self.person) if self.person else ""
        return {"person": person, "address": self.address, "how": self.how.value, "words": self.words}


@dataclass(frozen=True, slots=True)
class MatchResult:
    """What the voices come to. `address` is what a tag says, no matter who it is."""

    standing: LinkStanding
    person: UUID | None = None
    address: str = ""
    how: str = ""
    words: str = ""
    said: tuple[MatchEvidence, ...] = ()


class KnownPeople:
    """The people of the directory, by address and by the user names that the rules make of it."""

    def __init__(self, people: Iterable[tuple[UUID, str]], ways: MatchRules) -> None:
        self.by_address = {email.lower(): pk for pk, email in people}
        self._named: list[tuple[str, dict[str, list[UUID]]]] = []
        for rule in ways.rules:
            people_by_name: dict[str, list[UUID]] = defaultdict(list)
            for email, pk in self.by_address.items():
                name = rule.user_name_of(email)
                if name:
                    people_by_name[name].append(pk)
            self._named.append((" of ".join(rule.texts), people_by_name))
        self._ways = ways

    def names_of(self, pk: UUID, email: str) -> set[str]:
        """The user names by which a person is found."""
        names = {rule.user_name_of(email) for rule in self._ways.rules}
        return {name for name in (*names, email.lower()) if name}

    def names_by(self, rules: Collection[tuple[str, str]]) -> set[str]:
        """Every user name that one of some rules makes of somebody."""
        words = {" of ".join(texts) for texts in rules}
        return set(chain.from_iterable(names for rule, names in self._named if rule in words))

    def judge(self, facts: UserFacts) -> MatchResult:
        """What the ways say of a user."""
        address, voices = self._tagged(facts)
        login = facts.name.lower()
        if self._ways.by_address and login in self.by_address:
            voices.append(
                MatchEvidence(
                    self.by_address[login], login, MatchMethod.ADDRESS, "the user name is their email address"
                )
            )
        for words, people_by_name in self._named:
            voices += [
                MatchEvidence(pk, "", MatchMethod.RULE, f"name rule {words}")
                for pk in people_by_name.get(login, ())
            ]
        voices = [voice for voice in voices if voice.person is None or voice.person not in facts.apart]
        return _verdict(address, voices)

    def _tagged(self, facts: UserFacts) -> tuple[str, list[MatchEvidence]]:
        voices: list[MatchEvidence] = []
        for key in self._ways.tag_keys:
            value = facts.tags.get(key, "").strip().lower()
            if "@" in value and len(value) <= 254:
                voices.append(
                    MatchEvidence(self.by_address.get(value), value, MatchMethod.TAG, f"tag {key}: {value}")
                )
        return (voices[0].address if voices else ""), voices


def _verdict(address: str, voices: Sequence[MatchEvidence]) -> MatchResult:
    owners = {voice.person or voice.address for voice in voices}
    if not owners:
        return MatchResult(LinkStanding.NOBODY, address=address, said=tuple(voices))
    if len(owners) > 1:
        ways = {(voice.how, voice.words if voice.how is MatchMethod.RULE else "") for voice in voices}
        standing = (
            LinkStanding.AMBIGUOUS
            if len(ways) == 1 and voices[0].how is MatchMethod.RULE
            else LinkStanding.CONFLICT
        )
        return MatchResult(standing, address=address, said=tuple(voices))
    first = voices[0]
    standing = LinkStanding.KNOWN if first.person else LinkStanding.NOBODY
    return MatchResult(standing, first.person, address, first.how, first.words, tuple(voices))


def small_keys(tags: Mapping[str, Any]) -> dict[str, str]:
    """Tags with their keys in small letters, as IAM compares them."""
    return {key.lower(): str(value) for key, value in tags.items()}
