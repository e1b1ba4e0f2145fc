"""Log files of a trail are not encrypted with a KMS key."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import TRAILS_ARE_NOT_CHANGED, FindingRule, NotRead, RuleProblem
from iam.audit.findings.trails import own_trails
from iam.mirror.pull.sections import TRAILS


class TrailWithoutKey(FindingRule):
    """Covers the account's own trails."""

    kind = "trail-without-key"
    severity = FindingSeverity.LOW
    title = "Log files without a KMS key"
    sentence = "A trail’s log files are not encrypted with a KMS key."
    risk = "Everyone who may read the bucket reads the log files; no key policy protects them as well."
    remedy = "Choose a KMS key for the trail, and let only auditors decrypt with it."
    no_request = TRAILS_ARE_NOT_CHANGED
    sections = (TRAILS,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for trail in own_trails(facts):
            if not trail.attrs.get("KmsKeyId"):
                yield RuleProblem(trail, {"bucket": trail.attrs.get("S3BucketName")})
