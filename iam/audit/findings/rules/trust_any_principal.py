"""A role can be assumed from any AWS account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.outside_trust import admits_stranger
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.audit.findings.trust import trust_evidence, trusted
from iam.audit.findings.trust_fixes import require_organization
from iam.mirror.pull.sections import ROLES

CONDITIONAL: Final = "conditions of the trust policy decide"


class TrustAnyPrincipal(FindingRule):
    """Roles are left out if a condition names the organization, accounts or principals that can assume it.

    A condition that anyone can meet, such as one on the name of a role, limits nothing.
    """

    kind = "trust-any-principal"
    severity = FindingSeverity.CRITICAL
    title = "Role open to every AWS account"
    sentence = "The trust policy of a role lets anyone with an AWS account assume it."
    risk = "Anyone in the world with an AWS account can act as the role."
    remedy = "Name the accounts or roles that can assume it, or add a condition on aws:PrincipalOrgID."
    fix_request = FixRequest("Limit trust", require_organization)
    sections = (ROLES,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for role in facts.roles:
            if not any(principal.kind == "anybody" for principal in trusted(role, facts)):
                continue
            admitted = admits_stranger(role, facts)
            if admitted is not None:
                reasons = () if admitted else (CONDITIONAL,)
                severity = None if admitted else FindingSeverity.MEDIUM
                evidence = trust_evidence(role, facts, "*")
                if organization := facts.organization_id:
                    evidence["organization"] = organization
                yield RuleProblem(
                    role,
                    evidence,
                    reasons=reasons,
                    severity=severity,
                    fix=FindingFix("trust", role.id),
                )
