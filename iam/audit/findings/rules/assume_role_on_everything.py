"""Someone can assume every role that trusts their account."""

from __future__ import annotations

from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.policy_fixes import without_actions
from iam.audit.findings.statement_rule import StatementRule
from iam.audit.findings.statements import AllowStatement, matches_action, names_action_on_roles

_names = names_action_on_roles("sts:AssumeRole", of_any_account=True)


class AssumeRoleOnEverything(StatementRule):
    """Covers roles in any account."""

    kind = "assume-role-on-everything"
    severity = FindingSeverity.MEDIUM
    title = "sts:AssumeRole on every role"
    sentence = "A policy allows sts:AssumeRole on every role of every account."
    risk = "Every role that trusts this account, here or elsewhere, is open to anyone who has the policy."
    remedy = "Name the roles in Resource."
    fix_request = FixRequest("Remove action", without_actions(_names, matches_action("sts:AssumeRole")))
    action = "sts:AssumeRole"
    resource = "arn:{partition}:iam::999999999999:role/gatehouse-any-role"

    def matches_statement(self, statement: AllowStatement) -> bool:
        return _names(statement)
