"""A trail exists, but logging is turned off."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import TRAILS_ARE_NOT_CHANGED, FindingRule, NotRead, RuleProblem
from iam.audit.findings.trails import own_trails
from iam.mirror.pull.sections import TRAILS


class TrailStopped(FindingRule):
    """Covers the account's own trails."""

    kind = "trail-stopped"
    severity = FindingSeverity.HIGH
    title = "Trail is stopped"
    sentence = "A trail exists, but its logging is turned off."
    risk = "Nothing that happens is recorded by it; turning a trail off is what intruders do first."
    remedy = "Start logging again, and find out who stopped it."
    no_request = TRAILS_ARE_NOT_CHANGED
    sections = (TRAILS,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for trail in own_trails(facts):
            if trail.attrs.get("IsLogging") is None:
                yield NotRead(trail)
            elif not trail.attrs["IsLogging"]:
                yield RuleProblem(trail, {"logging": "off"})
