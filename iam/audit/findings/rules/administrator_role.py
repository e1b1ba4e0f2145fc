"""A role is an administrator of its account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.audit.findings.account_fixes import put_boundary
from iam.audit.findings.effect import reasons_of
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import AUTHORIZATION

SERVICE: Final = "service:"


class AdministratorRole(FindingRule):
    """Roles that an AWS service assumes are high, because their credentials are on a machine. Service-linked
    roles and Gatehouse's own roles are left out.
    """

    kind = "administrator-role"
    severity = FindingSeverity.MEDIUM
    title = "Administrator role"
    sentence = "A role is administrator of its account; one that an AWS service assumes is high."
    risk = "Anyone who can assume the role, or gets into its workload, can do everything in the account."
    remedy = "Give the role only the actions that it uses."
    fix_request = FixRequest("Set boundary", put_boundary)
    sections = AUTHORIZATION

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        administrators = facts.administrators or {}
        for role in facts.roles:
            if role.id in administrators:
                is_of_service = role.category.startswith(SERVICE)
                severity = FindingSeverity.HIGH if is_of_service else None
                yield RuleProblem(
                    role,
                    {"administrator": True, "trusted": role.category},
                    severity=severity,
                    reasons=reasons_of(facts, is_sure=administrators[role.id]),
                    fix=FindingFix(page="role", on=role.id),
                )
