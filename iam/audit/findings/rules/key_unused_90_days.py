"""Access key unused for 90 days."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.credential_fixes import deactivate_keys
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.audit.findings.user_keys import deactivate, key_evidence, keys_are_unread, unused_keys
from iam.mirror.pull.sections import CREDENTIAL_REPORT, USERS


class KeyUnused90Days(FindingRule):
    """A key that was never used is another kind."""

    kind = "key-unused-90-days"
    severity = FindingSeverity.MEDIUM
    title = "Access key unused for 90 days"
    sentence = "An IAM user has an active access key that was last used more than 90 days ago."
    risk = "A key that no one needs any more still works for anyone who finds it."
    remedy = "Deactivate the key, and delete it when nothing has failed for some days."
    fix_request = FixRequest("Deactivate keys", deactivate_keys, is_plain=True)
    sections = (USERS, CREDENTIAL_REPORT)
    uses_last_use = True

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for user, credential in facts.users:
            if keys_are_unread(credential):
                yield NotRead(user)
            elif keys := unused_keys(credential, facts, days=90):
                evidence = {"keys": [key_evidence(key) for key in keys]}
                yield RuleProblem(user, evidence, fix=deactivate(user, keys))
