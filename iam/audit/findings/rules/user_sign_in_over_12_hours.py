"""A sign-in session of an IAM user can last longer than 12 hours."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.audit.findings.sign_in import limit_sign_in, sign_in_problem
from iam.mirror.pull.sections import AUTHORIZATION, LOGIN_PROFILES


class UserSignInOver12Hours(FindingRule):
    """Covers users with a console password. Without a setting, AWS ends the session after at most 12 hours.
    Administrators are high.
    """

    kind = "user-sign-in-over-12-hours"
    severity = FindingSeverity.MEDIUM
    title = "Sign-in sessions of a user longer than 12 hours"
    sentence = "An IAM user’s sign-in sessions can last longer than 12 hours; an administrator’s is high."
    risk = "Anyone who gets hold of a browser or computer that is signed in can act as the user for days."
    remedy = "Go back to AWS’s own limit, or set one of 12 hours or less."
    fix_request = FixRequest("Restore AWS’s limit", limit_sign_in)
    sections = (*AUTHORIZATION, LOGIN_PROFILES)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for user, credential in facts.users:
            if credential.has_password is False:
                continue
            if credential.max_sign_in is None:
                yield NotRead(user)
                continue
            fix = FindingFix(page="user", on=user.id)
            yield from sign_in_problem(user, credential.max_sign_in, facts, fix)
