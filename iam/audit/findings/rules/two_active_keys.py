"""A user has two active access keys."""

from __future__ import annotations

from datetime import datetime

from iam.audit.findings.credential_fixes import deactivate_key_used_less
from iam.audit.findings.credential_rule import CredentialRule, UserResults
from iam.audit.findings.facts import CredentialFact, EntityFact
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import NotRead, RuleProblem
from iam.audit.findings.user_keys import deactivate, key_evidence, keys_are_unread
from iam.mirror.pull.sections import USERS


class TwoActiveKeys(CredentialRule):
    """A second key is needed only during a rotation."""

    kind = "two-active-keys"
    severity = FindingSeverity.MEDIUM
    title = "Two active access keys"
    sentence = "An IAM user has two active access keys."
    risk = "A key that no one watches can leak unnoticed, and the next rotation needs a free place."
    remedy = "Deactivate the key that is used less, and delete it some days later."
    fix_request = FixRequest("Deactivate key", deactivate_key_used_less, is_plain=True)
    sections = (USERS,)

    def judge(self, user: EntityFact, credential: CredentialFact, now: datetime) -> UserResults:
        if keys_are_unread(credential):
            yield NotRead(user)
        elif credential.active_keys > 1:
            evidence = {"keys": [key_evidence(key) for key in credential.keys]}
            yield RuleProblem(user, evidence, fix=deactivate(user))
