"""A policy names actions that don't exist."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.lint_errors import UNKNOWN_NAMES, lint_errors, problem_of
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.policy_fixes import without_unknown_actions
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import AUTHORIZATION


class UnknownAction(FindingRule):
    """Based on the installed catalog of AWS actions."""

    kind = "unknown-action"
    severity = FindingSeverity.LOW
    title = "Actions that don’t exist"
    sentence = "A policy names actions or services that don’t exist."
    risk = "The statement doesn’t do what its author meant: it protects nothing, or allows nothing."
    remedy = "Correct the names."
    fix_request = FixRequest("Remove names", without_unknown_actions)
    sections = AUTHORIZATION

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for policy in facts.policies:
            errors = [error for error in lint_errors(policy, facts) if error.code in UNKNOWN_NAMES]
            if errors:
                yield problem_of(policy, errors, facts)
