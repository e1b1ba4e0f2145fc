"""An access key was never used."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from iam.audit.findings.credential_fixes import deactivate_keys
from iam.audit.findings.credential_rule import CredentialRule, UserResults
from iam.audit.findings.facts import CredentialFact, EntityFact
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import NotRead, RuleProblem
from iam.audit.findings.user_keys import deactivate, key_evidence, keys_are_unread
from iam.mirror.pull.sections import CREDENTIAL_REPORT, USERS

GRACE_DAYS: Final = 7
"""A newer key may not be in use yet."""


class KeyNeverUsed(CredentialRule):
    """Covers keys older than the grace period."""

    kind = "key-never-used"
    severity = FindingSeverity.LOW
    title = "Access key never used"
    sentence = (
        "An IAM user has an active access key that was never used since it was created a week or more ago."
    )
    risk = "A key that no one needs still works for anyone who finds it."
    remedy = "Deactivate the key, and delete it."
    fix_request = FixRequest("Deactivate keys", deactivate_keys, is_plain=True)
    sections = (USERS, CREDENTIAL_REPORT)
    uses_last_use = True

    def judge(self, user: EntityFact, credential: CredentialFact, now: datetime) -> UserResults:
        before = now - timedelta(days=GRACE_DAYS)
        if keys_are_unread(credential):
            yield NotRead(user)
            return
        unused = [key for key in credential.keys if key.used_at is None]
        old = [key for key in unused if key.created_at is None or key.created_at < before]
        if old:
            yield RuleProblem(user, {"keys": [key_evidence(key) for key in old]}, fix=deactivate(user, old))
