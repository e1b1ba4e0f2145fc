"""The account has no password policy of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.audit.findings.account_fixes import strong_passwords
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import ACCOUNT

NAME: Final = "password_policy"


class PasswordPolicyMissing(FindingRule):
    """AWS's default policy requires eight characters, and passwords never expire."""

    kind = "password-policy-missing"
    severity = FindingSeverity.MEDIUM
    title = "Password policy missing"
    sentence = "The account has no password policy of its own, only the default of AWS."
    risk = "Passwords of eight characters are guessed, and old ones are used again."
    remedy = "Set a password policy: 14 characters, letters and digits, and no reuse of the last 24."
    fix_request = FixRequest("Set password policy", strong_passwords)
    sections = (ACCOUNT,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        if NAME in facts.values and facts.values[NAME] is None:
            yield RuleProblem(None, {"password_policy": None}, fix=FindingFix("password-rules"))
