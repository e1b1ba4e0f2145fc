"""No role can read the configuration without permission to change it."""

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

POLICY: Final = "SecurityAudit"


class SecurityAuditRoleMissing(FindingRule):
    """Only roles count; a policy named SecurityAudit on a user or group is not enough."""

    kind = "security-audit-role-missing"
    severity = FindingSeverity.LOW
    title = "Security audit role missing"
    sentence = "No role has SecurityAudit."
    risk = "Auditors need rights that can change something, or see nothing."
    remedy = "Create a role with SecurityAudit for those who audit the account."
    fix_request = FixRequest(
        "Create role",
        role_with(POLICY, name="security-audit", description="For security auditors"),
    )
    sections = AUTHORIZATION

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        roles = {role.id for role in facts.of_kind(Kind.ROLE)}
        policies = (policy for policy in facts.of_kind(Kind.POLICY) if policy.name == POLICY)
        if not any(roles.intersection(facts.holders.get(policy.id, ())) for policy in policies):
            yield RuleProblem(None, {"policy": POLICY})
