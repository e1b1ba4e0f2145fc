"""What sentences about a trust policy are made of: the sentence itself, and phrases for conditions."""

from __future__ import annotations

from dataclasses import dataclass

from iam.policy.trust_conditions import TrustRequirement, in_words


@dataclass(frozen=True, slots=True)
class TrustSentence:
    """A sentence about a trust policy. `who` is its subject (in bold), `how` are the phrases that follow,
    `notes` are remarks, and `literal` are the conditions that have no words. `kind` is a Principal's kind,
    `refusal` for a Deny, or `tags` where the statement doesn't let the principal assume the role. A page can
    link `principal` and `account_id`. `is_outside` is True for a principal of another account.
    """

    who: str
    how: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    literal: tuple[str, ...] = ()
    tone: str = "ok"
    badge: str = ""
    kind: str = ""
    principal: str = ""
    account_id: str = ""
    is_outside: bool = False


def condition_phrases(tests: tuple[TrustRequirement, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the phrases of the tests that have words, and the other tests as written."""
    phrases: list[str] = []
    literal: list[str] = []
    for test in tests:
        words = in_words(test)
        (phrases if words else literal).append(words or str(test))
    return tuple(phrases), tuple(literal)
