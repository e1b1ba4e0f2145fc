"""Someone can assume every role that trusts their account."""

from __future__ import annotations

from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.statement_rule import StatementRule
from iam.audit.findings.statements import AllowStatement, names_action

_names = names_action("sts:AssumeRole")


class AssumeRoleOnEverything(StatementRule):
    """In any account."""

    kind = "assume-role-on-everything"
    severity = FindingSeverity.MEDIUM
    title = "sts:AssumeRole on every role"
    sentence = "A policy allows sts:AssumeRole on every role of every account."
    risk = "Every role that trusts this account, here or elsewhere, is open to anyone who has the policy."
    remedy = "Name the roles in Resource."
    action = "sts:AssumeRole"
    resource = "arn:{partition}:iam::999999999999:role/gatehouse-any-role"

    def matches_statement(self, statement: AllowStatement) -> bool:
        return _names(statement)
