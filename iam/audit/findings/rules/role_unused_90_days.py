"""A role has not been used for 90 days."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.models import NEVER
from iam.mirror.pull.sections import ROLES

DAYS: Final = 90


class RoleUnused90Days(FindingRule):
    """AWS reports the last use within 400 days. Roles created in the last 90 days are left out."""

    kind = "role-unused-90-days"
    severity = FindingSeverity.LOW
    title = "Role unused for 90 days"
    sentence = "A role was not assumed for more than 90 days."
    risk = "No one notices when someone else assumes a role that its owner doesn’t use."
    remedy = "Delete the role, or remove its permissions first and see whether anything fails."
    sections = (ROLES,)
    uses_last_use = True

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        before = facts.days_ago(DAYS)
        for role in facts.roles:
            used_at = (facts.usage or {}).get(role.id)
            is_young = role.created_at is not None and role.created_at >= before
            if used_at is None or used_at >= before or is_young:
                continue
            evidence = {"last_used": used_at.isoformat() if used_at > NEVER else None}
            yield RuleProblem(role, evidence, fix=FindingFix("delete", role.id))
