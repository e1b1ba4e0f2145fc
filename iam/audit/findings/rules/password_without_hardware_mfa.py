"""A user's only MFA device is a virtual one."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from iam.audit.findings.credential_rule import CredentialRule, UserResults
from iam.audit.findings.facts import CredentialFact, EntityFact
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, RuleProblem
from iam.mirror.pull.sections import MFA_DEVICES, USER_MFA, USERS

VIRTUAL: Final = "virtual"


class PasswordWithoutHardwareMfa(CredentialRule):
    """Users who also have a security key or a hardware device are left out."""

    kind = "password-without-hardware-mfa"
    severity = FindingSeverity.LOW
    title = "Console password without hardware MFA"
    sentence = "An IAM user has a console password and only a virtual MFA device."
    risk = (
        "Codes of a virtual device can be phished; a passkey or security key can’t be used by another site."
    )
    remedy = "Have the user add a security key or passkey."
    no_request = "Only the user can add a security key or passkey, since it is in their hands."
    sections = (USERS, MFA_DEVICES, USER_MFA)

    def judge(self, user: EntityFact, credential: CredentialFact, now: datetime) -> UserResults:
        if credential.has_password and credential.mfa == VIRTUAL:
            yield RuleProblem(user, {"mfa": VIRTUAL}, fix=FindingFix(page="mfa"))
