"""Cases of `trail-in-one-region`."""

from __future__ import annotations

from iam.audit.findings.rules.trail_in_one_region import TrailInOneRegion
from tests.iam.audit.findings.rules.site import FALSE, INSIDE, TRUE, UNREAD, cases_of
from tests.iam.audit.findings.rules.trails import trail

CASES = {
    "one Region": (lambda site: trail(site, IsMultiRegionTrail=False), TRUE),
    "all Regions": (trail, FALSE),
    "another covers all": (lambda site: (trail(site, IsMultiRegionTrail=False), trail(site, "all")), FALSE),
    "the organization's covers all": (
        lambda site: (
            trail(site, IsMultiRegionTrail=False),
            trail(site, "org", number=INSIDE, IsLogging=None),
        ),
        FALSE,
    ),
    "another is stopped": (
        lambda site: (trail(site, IsMultiRegionTrail=False), trail(site, "all", IsLogging=False)),
        TRUE,
    ),
    "not synced": (lambda site: site.unsynced.add("trails"), UNREAD),
}
test_cases = cases_of(TrailInOneRegion(), CASES)
