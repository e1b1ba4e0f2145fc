"""Cases of `trail-delivery-failure`."""

from __future__ import annotations

from iam.audit.findings.rules.trail_delivery_failure import TrailDeliveryFailure
from tests.iam.audit.findings.rules.site import FALSE, TRUE, UNREAD, cases_of
from tests.iam.audit.findings.rules.trails import trail

CASES = {
    "an error": (lambda site: trail(site, LatestDeliveryError="AccessDenied"), TRUE),
    "none": (trail, FALSE),
    "stopped": (lambda site: trail(site, LatestDeliveryError="AccessDenied", IsLogging=False), FALSE),
    "status unknown": (lambda site: trail(site, LatestDeliveryError=None), UNREAD),
    "not synced": (lambda site: site.unsynced.add("trails"), UNREAD),
}
test_cases = cases_of(TrailDeliveryFailure(), CASES)
