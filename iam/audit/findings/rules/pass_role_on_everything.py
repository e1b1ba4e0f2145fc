"""Someone can pass every role to every service."""

from __future__ import annotations

from typing import Final

from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.policy_fixes import without_actions
from iam.audit.findings.statement_rule import StatementRule
from iam.audit.findings.statements import AllowStatement, matches_action, names_action_on_roles

KEYS: Final = frozenset({"iam:passedtoservice", "iam:associatedresourcearn"})
_names = names_action_on_roles("iam:PassRole")


class PassRoleOnEverything(StatementRule):
    """A condition on the service or on the associated resource counts as a limit."""

    kind = "pass-role-on-everything"
    severity = FindingSeverity.MEDIUM
    title = "iam:PassRole on every role"
    sentence = "A policy allows iam:PassRole on every role, with no condition on the service."
    risk = "Anyone who has it can start something with a more powerful role, and act as that role."
    remedy = "Name the roles in Resource, and add a condition on iam:PassedToService."
    fix_request = FixRequest("Remove action", without_actions(_names, matches_action("iam:PassRole")))
    action = "iam:PassRole"
    resource = "{prefix}role/gatehouse-any-role"

    def matches_statement(self, statement: AllowStatement) -> bool:
        return _names(statement) and not KEYS & statement.condition_keys
