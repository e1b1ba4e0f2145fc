"""A policy has an error in its text."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.lint_errors import UNKNOWN_NAMES, lint_errors, problem_of
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import AUTHORIZATION


class PolicyLintError(FindingRule):
    """Covers statements that AWS would reject or that have no effect. Unknown names are a kind of their
    own.
    """

    kind = "policy-lint-error"
    severity = FindingSeverity.LOW
    title = "Policy with an error"
    sentence = "A policy has an error, so that a statement doesn’t do what it says."
    risk = "A Deny that never matches protects nothing; an Allow that never matches stops someone’s work."
    remedy = "Correct the text."
    no_request = "Only the author of the policy knows what the statement was meant to say."
    sections = AUTHORIZATION

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for policy in facts.policies:
            errors = [error for error in lint_errors(policy, facts) if error.code not in UNKNOWN_NAMES]
            if errors:
                yield problem_of(policy, errors, facts)
