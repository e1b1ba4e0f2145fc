"""Cases of `trail-missing`."""

from __future__ import annotations

from iam.audit.findings.rules.trail_missing import TrailMissing
from tests.iam.audit.findings.rules.site import FALSE, INSIDE, TRUE, UNREAD, cases_of
from tests.iam.audit.findings.rules.trails import trail

CASES = {
    "none": (lambda site: None, TRUE),
    "some": (trail, FALSE),
    "of the organization": (lambda site: trail(site, number=INSIDE, IsOrganizationTrail=True), FALSE),
    "not synced": (lambda site: site.unsynced.add("trails"), UNREAD),
}
test_cases = cases_of(TrailMissing(), CASES)
