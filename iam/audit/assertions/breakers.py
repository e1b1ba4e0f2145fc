"""Selects from an answer to “Who can” those who break an assertion."""

from __future__ import annotations

from dataclasses import dataclass

from iam.audit.assertions.terms import AssertionTerms
from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.shard import AccountShard


@dataclass(frozen=True, slots=True)
class BreakerFilter:
    """The users and roles that an assertion checks and doesn't allow, as `evaluation.judge` decides it."""

    terms: AssertionTerms

    def fits(self, member: IndexedPrincipal, shard: AccountShard, decision: EvaluationDecision) -> bool:
        """True if the user or role breaks the assertion by its access.

        False where unsynced tags decide whether it is allowed: that is unknown.
        """
        terms = self.terms
        if not terms.covers(member.account) or terms.allows(member, shard):
            return False
        if member.tags is None and terms.names_tags:
            return False
        return terms.counts_conditional or decision is EvaluationDecision.ALLOWED
