"""The trails of an account, as the rules about CloudTrail look at them."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts, EntityFact
from iam.mirror.models import Kind


def own_trails(facts: AccountFacts) -> Iterator[EntityFact]:
    """The trails that the account itself has; an organization trail belongs to the account that made it."""
    for trail in facts.of_kind(Kind.TRAIL):
        if trail.arn.split(":")[4] == facts.number:
            yield trail


def is_in_all_regions(trail: EntityFact) -> bool:
    """Whether a trail records all Regions. One whose status an organization keeps to itself is believed."""
    attrs = trail.attrs
    return attrs.get("IsMultiRegionTrail") is True and attrs.get("IsLogging") is not False
