"""A user can sign in to the console with a password alone."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.credential_fixes import delete_password
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.mfa import has_mfa
from iam.mirror.pull.sections import USERS


class PasswordWithoutMfa(FindingRule):
    """Administrators have a kind of their own, `administrator-without-mfa`."""

    kind = "password-without-mfa"
    severity = FindingSeverity.HIGH
    title = "Console password without MFA"
    sentence = "An IAM user has a console password and no MFA device."
    risk = "Anyone who learns or guesses the password has everything that the user has."
    remedy = "Have the user add an MFA device, or remove the console password if no one needs it."
    fix_request = FixRequest("Remove password", delete_password, is_alternative=True, is_plain=True)
    sections = (USERS,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for user, credential in facts.users:
            if credential.has_password is False or has_mfa(credential.mfa):
                continue
            if credential.has_password is None or has_mfa(credential.mfa) is None:
                yield NotRead(user)
            elif user.id not in (facts.administrators or {}):
                yield RuleProblem(user, {"mfa": credential.mfa}, fix=FindingFix(page="mfa"))
