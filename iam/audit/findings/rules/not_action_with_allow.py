"""A policy allows every action except those that it lists."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.effect import PolicyEffect
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.holder_rules import SECTIONS, problem_of
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.policy_fixes import without_statements
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.audit.findings.statements import AllowStatement, first


def _allows_the_rest(statement: AllowStatement) -> bool:
    return statement.is_not and statement.is_everything


class NotActionWithAllow(FindingRule):
    """NotAction with Deny is left out, because it is a common way to protect something."""

    kind = "not-action-with-allow"
    severity = FindingSeverity.MEDIUM
    title = "NotAction with Allow"
    sentence = "A policy allows every action but a list, by NotAction with Allow on every resource."
    risk = "Every action that AWS adds later is allowed too, without anyone having decided it."
    remedy = "Use Action, and name what to allow."
    fix_request = FixRequest("Remove statement", without_statements(_allows_the_rest))
    sections = SECTIONS

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for policy in facts.policies:
            text = facts.documents.get(policy.digest, "")
            statement = first(text, _allows_the_rest)
            if statement is not None and policy.holders and not policy.is_aws_managed:
                principals = facts.principals(policy.holders)
                yield problem_of(policy, statement, PolicyEffect(principals, facts.unread), facts)
