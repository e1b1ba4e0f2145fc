"""A trail records a single Region, and no other trail records all Regions."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import TRAILS_ARE_NOT_CHANGED, FindingRule, NotRead, RuleProblem
from iam.audit.findings.trails import is_in_all_regions, own_trails
from iam.mirror.models import Kind
from iam.mirror.pull.sections import TRAILS


class TrailInOneRegion(FindingRule):
    """Not reported if another trail covers all Regions."""

    kind = "trail-in-one-region"
    severity = FindingSeverity.MEDIUM
    title = "Trail covers one Region"
    sentence = "A trail records one Region, and no other trail records all Regions."
    risk = "What happens in other Regions leaves no record, and those who know it act there."
    remedy = "Turn the trail into a multi-Region trail."
    no_request = TRAILS_ARE_NOT_CHANGED
    sections = (TRAILS,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        if any(is_in_all_regions(trail) for trail in facts.of_kind(Kind.TRAIL)):
            return
        for trail in own_trails(facts):
            if not trail.attrs.get("IsMultiRegionTrail"):
                yield RuleProblem(trail, {"region": trail.attrs.get("HomeRegion")})
