"""CloudTrail can’t write the log files of a trail."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.audit.findings.trails import own_trails
from iam.mirror.pull.sections import TRAILS


class TrailDeliveryFailure(FindingRule):
    """Based on the error of the latest delivery. Stopped trails are left out, because they deliver
    nothing.
    """

    kind = "trail-delivery-failure"
    severity = FindingSeverity.HIGH
    title = "Trail can’t deliver"
    sentence = "CloudTrail could not deliver the latest log file of a trail."
    risk = "Events are lost: CloudTrail retries for a while only."
    remedy = "Fix the bucket, its policy or the key policy that the error names."
    no_request = "The cause is in the bucket or in the key, which Gatehouse can’t change."
    sections = (TRAILS,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for trail in own_trails(facts):
            error = trail.attrs.get("LatestDeliveryError")
            if error is None:
                yield NotRead(trail)
            elif error and trail.attrs.get("IsLogging") is not False:
                evidence = {"error": error, "bucket": trail.attrs.get("S3BucketName")}
                yield RuleProblem(trail, evidence)
