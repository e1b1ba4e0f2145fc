"""A role is an administrator of its account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.audit.findings.account_fixes import put_boundary
from iam.audit.findings.effect import reasons_of
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.outside_trust import admits_outsider
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import AUTHORIZATION

SERVICE: Final = "service:"


class AdministratorRole(FindingRule):
    """Roles that an AWS service assumes are high, because their credentials are on a machine. Roles that an
    outside account assumes are high too. Service-linked roles and Gatehouse's own roles are left out.
    """

    kind = "administrator-role"
    severity = FindingSeverity.MEDIUM
    title = "Administrator role"
    sentence = (
        "A role is administrator of its account; high if an AWS service or an outside account assumes it."
    )
    risk = "Anyone who can assume the role, or gets into its workload, can do everything in the account."
    remedy = "Give the role only the actions that it uses."
    fix_request = FixRequest("Set boundary", put_boundary)
    sections = AUTHORIZATION

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        administrators = facts.administrators or {}
        for role in facts.roles:
            if role.id in administrators:
                evidence = {"administrator": True, "trusted": role.category}
                if outsider := admits_outsider(role, facts):
                    evidence["account"] = outsider
                is_worse = role.category.startswith(SERVICE) or bool(outsider)
                severity = FindingSeverity.HIGH if is_worse else None
                yield RuleProblem(
                    role,
                    evidence,
                    severity=severity,
                    reasons=reasons_of(facts, is_sure=administrators[role.id]),
                    fix=FindingFix(page="role", on=role.id),
                )
