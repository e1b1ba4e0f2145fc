"""The base of rules about one user and their credentials, whose results stay valid for a known time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from iam.audit.findings.facts import AccountFacts, CredentialFact, EntityFact
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem

DAY: Final = timedelta(days=1)
UserResults = Iterator[RuleProblem | NotRead]
ALWAYS: Final = datetime.max.replace(tzinfo=UTC)


class CredentialRule(FindingRule):
    """A rule whose results depend only on the user, their credentials and the time.

    It compares the time only in whole days since a moment of the user or credentials, so `judged_until` tells
    how long its results stay the same.
    """

    def judge(self, user: EntityFact, credential: CredentialFact, now: datetime) -> UserResults:
        """Yield the problems of a user."""
        raise NotImplementedError

    def find(self, facts: AccountFacts) -> UserResults:
        for user, credential in facts.users:
            yield from self.judge(user, credential, facts.now)


def judged_until(user: EntityFact, credential: CredentialFact, now: datetime) -> datetime:
    """The time before which another whole day passes since none of the user's moments."""
    moments = [
        user.created_at,
        credential.password_changed_at,
        credential.password_used_at,
        credential.oldest_key_at,
    ]
    for key in credential.keys:
        moments += (key.created_at, key.used_at)
    return min((_next_day(moment, now) for moment in moments if moment is not None), default=ALWAYS)


def _next_day(moment: datetime, now: datetime) -> datetime:
    """When the next whole day since the moment has passed.

    This is now if one passes right now, because "more than 90 days ago" is true only after it.
    """
    passed = (now - moment) % DAY
    return now + DAY - passed if passed else now
