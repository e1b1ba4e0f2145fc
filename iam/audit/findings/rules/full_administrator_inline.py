"""Full administrator by an inline policy."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.holder_rules import SECTIONS, effective_full_policies, problem_of
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.policy_fixes import without_statements
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.audit.findings.statements import is_full


class FullAdministratorInline(FindingRule):
    """Such a policy is seen only on its user, group or role."""

    kind = "full-administrator-inline"
    severity = FindingSeverity.MEDIUM
    title = "Full administrator by an inline policy"
    sentence = "An inline policy that allows every action on every resource makes someone administrator."
    risk = "Anyone who has it, or takes it over, can do everything in the account."
    remedy = "Reduce the policy to the actions and resources that are needed."
    fix_request = FixRequest("Remove statement", without_statements(is_full))
    sections = SECTIONS

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for policy, statement, effect in effective_full_policies(facts):
            if policy.is_inline:
                yield problem_of(policy, statement, effect, facts)
