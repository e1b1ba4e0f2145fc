"""An access key has not been rotated for 90 days."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from iam.audit.findings.credential_rule import CredentialRule, UserResults
from iam.audit.findings.facts import CredentialFact, EntityFact
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import NotRead, RuleProblem
from iam.audit.findings.user_keys import key_evidence, keys_are_unread, rotate
from iam.mirror.models import NEVER
from iam.mirror.pull.sections import USERS

DAYS: Final = 90


class KeyOlderThan90Days(CredentialRule):
    """Judged by the oldest active key, as in the list of IAM users."""

    kind = "key-older-than-90-days"
    severity = FindingSeverity.MEDIUM
    title = "Access key older than 90 days"
    sentence = "An IAM user has an active access key that was created more than 90 days ago."
    risk = "The longer a key is in use, the more places hold a copy of it."
    remedy = "Rotate the key, or replace it by a role."
    no_request = "A rotation hands over the new key before the old one ends, so it takes two requests."
    sections = (USERS,)

    def judge(self, user: EntityFact, credential: CredentialFact, now: datetime) -> UserResults:
        before = now - timedelta(days=DAYS)
        if keys_are_unread(credential):
            yield NotRead(user)
        elif NEVER < credential.oldest_key_at < before:
            old = [key for key in credential.keys if key.created_at is None or key.created_at < before]
            evidence = {
                "created": credential.oldest_key_at.isoformat(),
                "days": (now - credential.oldest_key_at).days,
                "keys": [key_evidence(key) for key in old],
            }
            yield RuleProblem(user, evidence, fix=rotate(user))
