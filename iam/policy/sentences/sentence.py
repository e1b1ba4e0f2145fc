"""A statement's meaning, as data and as a sentence. Without side effects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Final

from iam.moments import moment_words
from iam.policy.sentences.places import join

NAMED: Final = 6
ALL_ACTIONS: Final = "*"


@dataclass(frozen=True, slots=True)
class SentenceClaim:
    """The claim of a sentence: each of these actions on each of these resources. With `is_not_action` or
    `is_not_resource` it is everything except these.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    is_not_action: bool = False
    is_not_resource: bool = False


@dataclass(frozen=True, slots=True)
class PolicySentence:
    """A sentence about statements with the same conditions.

    `statements` are their positions in the document, from 0. `service` is the prefix, "" for several or all.
    `conditions` are clauses such as "only with MFA"; the statements' end is in `until`, not a condition.
    `text` uses AWS's exact names, `plain` is for members. `warning` says why it deserves attention, or is
    empty. `since` is when the statements start to apply.
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
        """The actions of all claims, without duplicates."""
        return tuple(dict.fromkeys(chain.from_iterable(claim.actions for claim in self.claims)))

    @property
    def resources(self) -> tuple[str, ...]:
        """The resources of all claims, as the policy writes them."""
        return tuple(dict.fromkeys(chain.from_iterable(claim.resources for claim in self.claims)))

    @property
    def weight(self) -> int:
        """How much it deserves attention: 3 if it allows all actions or all but some, 2 with a warning,
        1 for other permissions, 0 if it denies.
        """
        if not self.allows:
            return 0
        if any(claim.is_not_action or ALL_ACTIONS in claim.actions for claim in self.claims):
            return 3
        return 2 if self.warning else 1

    @property
    def names(self) -> str:
        """The actions by name, or only the first if there are many."""
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
        """Return the sentence with an account and an end: "Read objects in s3://pay-ledger (production) until
        5 Dec, only with MFA".

        A past end and a future start are always mentioned.
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
        """Why the sentence doesn't apply now, or an empty string if it does."""
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
    """Return the first sentences as texts, and the number of further ones.

    If some are left out, it is none that weighs more than a shown one.
    """
    if len(sentences) > most:
        sentences = riskiest_first(sentences)
    texts = [sentence.in_full(where=where, until=until, plain=plain) for sentence in sentences[:most]]
    more = len(sentences) - most
    if more > 0:
        texts.append(f"and {more:,} more {'permission' if more == 1 else 'permissions'}; see the policy")
    return texts


def riskiest_first(sentences: Iterable[PolicySentence]) -> list[PolicySentence]:
    """Return the sentences by weight, those of the same weight in the order of the policy."""
    return sorted(sentences, key=lambda sentence: -sentence.weight)


def capital(text: str) -> str:
    """Return the text with a capital first letter, unless it begins with the name of an action."""
    first = text.partition(" ")[0]
    return text if ":" in first else text[:1].upper() + text[1:]
