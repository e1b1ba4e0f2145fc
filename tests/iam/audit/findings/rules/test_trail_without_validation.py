"""Cases of `trail-without-validation`."""

from __future__ import annotations

from iam.audit.findings.rules.trail_without_validation import TrailWithoutValidation
from tests.iam.audit.findings.rules.site import FALSE, INSIDE, TRUE, UNREAD, cases_of
from tests.iam.audit.findings.rules.trails import trail

CASES = {
    "off": (lambda site: trail(site, LogFileValidationEnabled=False), TRUE),
    "on": (trail, FALSE),
    "of another account": (lambda site: trail(site, number=INSIDE, LogFileValidationEnabled=False), FALSE),
    "not synced": (lambda site: site.unsynced.add("trails"), UNREAD),
}
test_cases = cases_of(TrailWithoutValidation(), CASES)
