"""Cases of `trail-without-log-group`."""

from __future__ import annotations

from iam.audit.findings.rules.trail_without_log_group import TrailWithoutLogGroup
from tests.iam.audit.findings.rules.site import FALSE, INSIDE, TRUE, UNREAD, cases_of
from tests.iam.audit.findings.rules.trails import trail

CASES = {
    "none": (lambda site: trail(site, CloudWatchLogsLogGroupArn=None), TRUE),
    "some": (trail, FALSE),
    "of another account": (lambda site: trail(site, number=INSIDE, CloudWatchLogsLogGroupArn=None), FALSE),
    "not synced": (lambda site: site.unsynced.add("trails"), UNREAD),
}
test_cases = cases_of(TrailWithoutLogGroup(), CASES)
