"""Log files of a trail can be changed unnoticed."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import TRAILS_ARE_NOT_CHANGED, FindingRule, NotRead, RuleProblem
from iam.audit.findings.trails import own_trails
from iam.mirror.pull.sections import TRAILS


class TrailWithoutValidation(FindingRule):
    """Covers the account's own trails."""

    kind = "trail-without-validation"
    severity = FindingSeverity.MEDIUM
    title = "Log files aren’t validated"
    sentence = "A trail writes no digest files, so its log files can’t be validated."
    risk = "Someone who can write to the bucket changes or deletes log files, and no one can prove it."
    remedy = "Turn on log file validation for the trail."
    no_request = TRAILS_ARE_NOT_CHANGED
    sections = (TRAILS,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for trail in own_trails(facts):
            if not trail.attrs.get("LogFileValidationEnabled"):
                yield RuleProblem(trail, {"bucket": trail.attrs.get("S3BucketName")})
