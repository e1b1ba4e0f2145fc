"""The base of rules about one policy statement that is effective for someone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from iam.audit.findings.effect import effect_of
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.holder_rules import problem_of
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.audit.findings.statements import AllowStatement, first
from iam.mirror.pull.sections import AUTHORIZATION


class StatementRule(FindingRule):
    """A rule about a statement.

    `action` on `resource` is evaluated to prove that it is effective; `{prefix}` is replaced by the beginning
    of the account's ARNs. `reasons` make every finding conditional.
    """

    sections = AUTHORIZATION
    action: ClassVar[str]
    resource: ClassVar[str]
    reasons: ClassVar[tuple[str, ...]] = ()

    def matches_statement(self, statement: AllowStatement) -> bool:
        """True if an Allow statement is of this kind."""
        raise NotImplementedError

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        resource = self.resource.format(prefix=facts.prefix, account=facts.number, partition=facts.partition)
        fits = self.matches_statement
        for policy in facts.policies:
            statement = first(facts.documents.get(policy.digest, ""), fits)
            if statement is None or policy.is_aws_managed:
                continue
            effect = effect_of(policy, facts, self.action, resource)
            if effect is not None:
                effect = effect._replace(reasons=(*effect.reasons, *self.reasons))
                yield problem_of(policy, statement, effect, facts)
