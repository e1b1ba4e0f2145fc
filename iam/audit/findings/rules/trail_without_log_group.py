"""A trail doesn't send its events to CloudWatch Logs, where alarms can watch them."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import TRAILS_ARE_NOT_CHANGED, FindingRule, NotRead, RuleProblem
from iam.audit.findings.trails import own_trails
from iam.mirror.pull.sections import TRAILS


class TrailWithoutLogGroup(FindingRule):
    """Covers the account's own trails."""

    kind = "trail-without-log-group"
    severity = FindingSeverity.LOW
    title = "Trail without a log group"
    sentence = "A trail doesn’t deliver its events to CloudWatch Logs."
    risk = "No alarm in CloudWatch can react to an event, such as a sign-in of the root user."
    remedy = "Deliver the trail’s events to a log group of CloudWatch Logs."
    no_request = TRAILS_ARE_NOT_CHANGED
    sections = (TRAILS,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for trail in own_trails(facts):
            if not trail.attrs.get("CloudWatchLogsLogGroupArn"):
                yield RuleProblem(trail, {"bucket": trail.attrs.get("S3BucketName")})
