"""The root user was used recently."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.mirror.models import NEVER
from iam.mirror.pull.sections import CREDENTIAL_REPORT

DAYS: Final = 30


class RootUsedLately(FindingRule):
    """Based on the last use of the password and the access keys in the credential report."""

    kind = "root-used-lately"
    severity = FindingSeverity.MEDIUM
    title = "Root user used in the last 30 days"
    sentence = "The root user signed in, or its access key was used, in the last 30 days."
    risk = "Daily work as the root user leaves no trace of a person, and nothing limits its mistakes."
    remedy = "Find out who used it and why, and give them a role for that."
    no_request = "What has happened can’t be changed. The finding ends when root isn’t used for some time."
    sections = (CREDENTIAL_REPORT,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        last_used = facts.root.last_used if facts.root else None
        if last_used is None:
            yield NotRead(None)
        elif last_used > NEVER and last_used >= facts.days_ago(DAYS):
            yield RuleProblem(facts.root_user, {"last_used": last_used.isoformat()})
