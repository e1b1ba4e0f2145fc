"""A sign-in session of a role can last longer than 12 hours."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.audit.findings.sign_in import limit_sign_in, sign_in_problem
from iam.mirror.pull.sections import AUTHORIZATION, ROLE_LIST
from iam.mirror.pull.transform.credentials import MAX_SIGN_IN


class RoleSignInOver12Hours(FindingRule):
    """Without a setting, AWS ends the session after at most 12 hours. Roles that are administrators are
    high.
    """

    kind = "role-sign-in-over-12-hours"
    severity = FindingSeverity.MEDIUM
    title = "Sign-in sessions of a role longer than 12 hours"
    sentence = "A role lets sign-in sessions last longer than 12 hours; one of an administrator is high."
    risk = "Anyone who gets hold of a browser or computer that is signed in can use the role for days."
    remedy = "Go back to AWS’s own limit, or set one of 12 hours or less."
    fix_request = FixRequest("Restore AWS’s limit", limit_sign_in)
    sections = (*AUTHORIZATION, ROLE_LIST)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for role in facts.roles:
            if MAX_SIGN_IN not in role.attrs:
                yield NotRead(role)
                continue
            fix = FindingFix(page="role", on=role.id)
            yield from sign_in_problem(role, role.attrs[MAX_SIGN_IN], facts, fix)
