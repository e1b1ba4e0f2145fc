"""Cases of `trail-stopped`."""

from __future__ import annotations

from iam.audit.findings.rules.trail_stopped import TrailStopped
from tests.iam.audit.findings.rules.site import FALSE, INSIDE, TRUE, UNREAD, cases_of
from tests.iam.audit.findings.rules.trails import trail

CASES = {
    "off": (lambda site: trail(site, IsLogging=False), TRUE),
    "on": (trail, FALSE),
    "status unknown": (lambda site: trail(site, IsLogging=None), UNREAD),
    "of another account": (lambda site: trail(site, number=INSIDE, IsLogging=False), FALSE),
    "not synced": (lambda site: site.unsynced.add("trails"), UNREAD),
}
test_cases = cases_of(TrailStopped(), CASES)
