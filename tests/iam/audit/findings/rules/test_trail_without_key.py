"""Cases of `trail-without-key`."""

from __future__ import annotations

from iam.audit.findings.rules.trail_without_key import TrailWithoutKey
from tests.iam.audit.findings.rules.site import FALSE, INSIDE, TRUE, UNREAD, cases_of
from tests.iam.audit.findings.rules.trails import trail

CASES = {
    "none": (lambda site: trail(site, KmsKeyId=None), TRUE),
    "some": (trail, FALSE),
    "of another account": (lambda site: trail(site, number=INSIDE, KmsKeyId=None), FALSE),
    "not synced": (lambda site: site.unsynced.add("trails"), UNREAD),
}
test_cases = cases_of(TrailWithoutKey(), CASES)
