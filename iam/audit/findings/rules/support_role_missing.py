"""No user, group or role can open a case with AWS Support."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.audit.findings.account_fixes import role_with
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.mirror.models import Kind
from iam.mirror.pull.sections import AUTHORIZATION

POLICY: Final = "AWSSupportAccess"


class SupportRoleMissing(FindingRule):
    """A policy named AWSSupportAccess on any user, group or role is enough."""

    kind = "support-role-missing"
    severity = FindingSeverity.LOW
    title = "Support role missing"
    sentence = "No user, group or role has AWSSupportAccess."
    risk = "In an incident no one but administrators can reach AWS Support."
    remedy = "Create a role with AWSSupportAccess for those who handle incidents."
    fix_request = FixRequest(
        "Create role", role_with(POLICY, name="support", description="Opens cases with AWS Support")
    )
    sections = AUTHORIZATION

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        policies = (policy for policy in facts.of_kind(Kind.POLICY) if policy.name == POLICY)
        if not any(facts.holders.get(policy.id) for policy in policies):
            yield RuleProblem(None, {"policy": POLICY})
