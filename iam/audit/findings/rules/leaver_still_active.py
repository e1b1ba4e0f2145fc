"""A person has left, but their IAM user still works."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.audit.findings.credential_fixes import end_sign_in
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.audit.findings.user_keys import key_evidence
from iam.mirror.pull.sections import USERS

TAGS: Final = frozenset({"status", "state", "employment", "employmentstatus", "lifecycle"})
WORDS: Final = frozenset({"left", "leaver", "former", "terminated", "offboarded", "inactive", "departed"})


class LeaverStillActive(FindingRule):
    """The person was deactivated in Gatehouse, or a tag of the user says that they have left."""

    kind = "leaver-still-active"
    severity = FindingSeverity.HIGH
    title = "User of someone who has left"
    sentence = "An IAM user of someone who has left still has a console password or an active access key."
    risk = "Someone who has no business here any longer can still sign in, or use the key."
    remedy = "Offboard the person."
    fix_request = FixRequest("End sign-in", end_sign_in, is_alternative=True, is_plain=True)
    sections = (USERS,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for user, credential in facts.users:
            why = self._why(user.id, user.arn, facts)
            if why and credential.has_password is None and not credential.keys:
                yield NotRead(user)
            elif why and (credential.has_password or credential.keys):
                evidence = {
                    "left": why,
                    "password": bool(credential.has_password),
                    "keys": [key_evidence(key) for key in credential.keys],
                }
                yield RuleProblem(user, evidence, fix=FindingFix(page="offboarding", on=user.id))

    def _why(self, number: int, arn: str, facts: AccountFacts) -> str:
        if arn in facts.persons_gone:
            return "deactivated in Gatehouse"
        for name, value in facts.tags.get(number, {}).items():
            if name.lower() in TAGS and value.lower() in WORDS:
                return f"tag {name} = {value}"
        return ""
