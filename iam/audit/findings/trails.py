"""Shared code of the rules about CloudTrail trails."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts, EntityFact
from iam.mirror.models import Kind


def own_trails(facts: AccountFacts) -> Iterator[EntityFact]:
    """The account's own trails; an organization trail belongs to the account that created it."""
    for trail in facts.of_kind(Kind.TRAIL):
        if trail.arn.split(":")[4] == facts.number:
            yield trail


def is_in_all_regions(trail: EntityFact) -> bool:
    """True if a trail records all Regions. An organization trail whose status is hidden counts as
    recording.
    """
    attrs = trail.attrs
    return attrs.get("IsMultiRegionTrail") is True and attrs.get("IsLogging") is not False
