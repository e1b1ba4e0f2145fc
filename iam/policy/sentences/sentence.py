"""One thing that a policy says, as data and as a sentence. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Final

from iam.moments import moment_words
from iam.policy.sentences.places import join

NAMED: Final = 6


@dataclass(frozen=True, slots=True)
class SentenceClaim:
    """What the sentence claims: each of these actions on each of these resources. `is_not_action`,
    `is_not_resource`: all but these.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    is_not_action: bool = False
    is_not_resource: bool = False


@dataclass(frozen=True, slots=True)
class PolicySentence:
    """One thing that statements say, all under the same conditions.

    `statements` are their places in the document, from 0. `service` is the prefix, "" for several or all.
    `conditions` are clauses such as "only with MFA"; the end that the statements carry is `until`, not a
    condition. `text` has the exact names of AWS, `plain` is for members. `warning` says why to look twice, or
    nothing. `since` is when the statements begin to apply.
    """

    allows: bool
    service: str
    statements: tuple[int, ...]
    claims: tuple[SentenceClaim, ...]
    conditions: tuple[str, ...]
    until: datetime | None
    head: str
    plain_head: str
    warning: str = ""
    since: datetime | None = None

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions of all claims, each once."""
        return tuple(dict.fromkeys(chain.from_iterable(claim.actions for claim in self.claims)))

    @property
    def resources(self) -> tuple[str, ...]:
        """The resources of all claims, as the policy writes them."""
        return tuple(dict.fromkeys(chain.from_iterable(claim.resources for claim in self.claims)))

    @property
    def names(self) -> str:
        """The actions by name, the first ones where there are many."""
        return join(self.actions, most=NAMED)

    @property
    def text(self) -> str:
        """The sentence for people who know AWS, without account and end: "Read objects in s3://pay-ledger,
        only with MFA".
        """
        return self.in_full()

    @property
    def plain(self) -> str:
        """The sentence for members: "Read files in the bucket pay-ledger, only with MFA"."""
        return self.in_full(plain=True)

    def in_full(self, *, where: str = "", until: str = "", plain: bool = False) -> str:
        """The sentence with an account and an end: "Read objects in s3://pay-ledger (production) until 5 Dec,
        only with MFA".

        An end that has passed, and a start that is to come, are said in any case.
        """
        words = self.plain_head if plain else self.head
        if where:
            words += f" ({where})"
        if until:
            words += f" until {until}"
        sentence = ", ".join((words, join(self.conditions))) if self.conditions else words
        return f"{sentence} ({self.standing})" if self.standing else sentence

    @property
    def standing(self) -> str:
        """Why it says nothing now, though the policy says it; empty where it does apply."""
        now = datetime.now(tz=UTC)
        if self.until is not None and self.until <= now:
            return f"no longer applies: it ended on {moment_words(self.until)}"
        if self.since is not None and self.since > now:
            return f"doesn’t apply yet: it starts on {moment_words(self.since)}"
        return ""


def in_short(
    sentences: Sequence[PolicySentence],
    *,
    most: int = 3,
    where: str = "",
    until: str = "",
    plain: bool = False,
) -> list[str]:
    """The first sentences as texts, and how many more there are."""
    texts = [sentence.in_full(where=where, until=until, plain=plain) for sentence in sentences[:most]]
    more = len(sentences) - most
    if more > 0:
        texts.append(f"and {more:,} more {'permission' if more == 1 else 'permissions'}; see the policy")
    return texts


def capital(text: str) -> str:
    """With a capital first letter, unless it begins with the name of an action."""
    first = text.partition(" ")[0]
    return text if ":" in first else text[:1].upper() + text[1:]
