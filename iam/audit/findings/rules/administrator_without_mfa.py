"""An administrator can sign in to the console with a password alone."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.credential_fixes import delete_password
from iam.audit.findings.effect import reasons_of
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.mfa import has_mfa
from iam.mirror.pull.sections import USERS


class AdministratorWithoutMfa(FindingRule):
    """Administrators are determined from all policies, boundaries and SCPs."""

    kind = "administrator-without-mfa"
    severity = FindingSeverity.CRITICAL
    title = "Administrator without MFA"
    sentence = "An IAM user who is administrator has a console password and no MFA device."
    risk = "Anyone who learns or guesses the password can do everything in the account."
    remedy = "Have the user add an MFA device today, or remove the administrator rights."
    fix_request = FixRequest("Remove password", delete_password, is_alternative=True, is_plain=True)
    sections = (USERS,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        administrators = facts.administrators or {}
        for user, credential in facts.users:
            if user.id not in administrators or credential.has_password is False or has_mfa(credential.mfa):
                continue
            if credential.has_password is None or has_mfa(credential.mfa) is None:
                yield NotRead(user)
                continue
            yield RuleProblem(
                user,
                {"mfa": credential.mfa, "administrator": True},
                reasons=reasons_of(facts, is_sure=administrators[user.id]),
                fix=FindingFix(page="mfa"),
            )
