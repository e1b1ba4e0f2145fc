"""No trail records the account."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import TRAILS_ARE_NOT_CHANGED, FindingRule, NotRead, RuleProblem
from iam.mirror.models import Kind
from iam.mirror.pull.sections import TRAILS


class TrailMissing(FindingRule):
    """Single-Region trails of Regions that are not synced are not seen; multi-Region trails always are."""

    kind = "trail-missing"
    severity = FindingSeverity.HIGH
    title = "No trail"
    sentence = "No CloudTrail trail records the account."
    risk = "CloudTrail’s own event history ends after 90 days, and what happened before is lost."
    remedy = "Create a trail that covers all Regions, or an organization trail."
    no_request = TRAILS_ARE_NOT_CHANGED
    sections = (TRAILS,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        if not any(facts.of_kind(Kind.TRAIL)):
            yield RuleProblem(None, {"trails": 0})
