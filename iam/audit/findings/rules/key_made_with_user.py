"""An IAM user with a console password got an access key on the day the user was created."""

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
from iam.mirror.pull.sections import USERS

TOGETHER: Final = timedelta(days=1)


class KeyMadeWithUser(CredentialRule):
    """Covers keys that were created within a day of the user and are still active."""

    kind = "key-made-with-user"
    severity = FindingSeverity.LOW
    title = "Access key created together with the console user"
    sentence = "An IAM user with a console password has an access key from the day the user was created."
    risk = "Keys that are created for everyone, needed or not, lie around unused and unwatched."
    remedy = "Ask whether the key is needed. If not, deactivate it, and delete it."
    fix_request = FixRequest("Deactivate keys", deactivate_keys, is_plain=True)
    sections = (USERS,)

    def judge(self, user: EntityFact, credential: CredentialFact, now: datetime) -> UserResults:
        if keys_are_unread(credential) or credential.has_password is None:
            yield NotRead(user)
        elif credential.has_password and user.created_at is not None:
            latest = user.created_at + TOGETHER
            first = [key for key in credential.keys if key.created_at and key.created_at < latest]
            if first:
                evidence = {
                    "user_created": user.created_at.isoformat(),
                    "keys": [key_evidence(key) for key in first],
                }
                yield RuleProblem(user, evidence, fix=deactivate(user, first))
