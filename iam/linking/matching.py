"""Matches a user with a person by the organization's rules, without side effects. Each rule can name a
person, and only a unanimous result is a match.
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
    """The current or proposed matching rules: tag keys in lower case, whether a user name can be an email
    address, and name rules.
    """

    tag_keys: tuple[str, ...] = ("email",)
    by_address: bool = True
    rules: tuple[NamePattern, ...] = ()


@dataclass(frozen=True, slots=True)
class UserFacts:
    """The facts about a user: the name, the tags (keys in lower case), and the excluded people."""

    name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    apart: Collection[UUID] = ()


@dataclass(frozen=True, slots=True)
class MatchEvidence:
    """A rule's result: a person, or an address that isn't in the directory."""

    person: UUID | None
    address: str
    how: MatchMethod
    words: str

    def as_json(self) -> dict[str, Any]:
        """The evidence as stored JSON."""
        person = str(self.person) if self.person else ""
        return {"person": person, "address": self.address, "how": self.how.value, "words": self.words}


@dataclass(frozen=True, slots=True)
class MatchResult:
    """The combined result of all rules. `address` is the one in a tag, of any person."""

    standing: LinkStanding
    person: UUID | None = None
    address: str = ""
    how: str = ""
    words: str = ""
    said: tuple[MatchEvidence, ...] = ()


class KnownPeople:
    """The people of the directory by address and by the user names that the rules derive from it."""

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
        """Return the user names that match a person."""
        names = {rule.user_name_of(email) for rule in self._ways.rules}
        return {name for name in (*names, email.lower()) if name}

    def names_by(self, rules: Collection[tuple[str, str]]) -> set[str]:
        """Return every user name that one of the rules derives for someone."""
        words = {" of ".join(texts) for texts in rules}
        return set(chain.from_iterable(names for rule, names in self._named if rule in words))

    def judge(self, facts: UserFacts) -> MatchResult:
        """Return the match of a user by the rules."""
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
    """Return tags with keys in lower case, because IAM compares them without case."""
    return {key.lower(): str(value) for key, value in tags.items()}
