"""Cases of `role-unused-90-days`."""

from __future__ import annotations

from iam.audit.findings.rules.role_unused_90_days import RoleUnused90Days
from tests.iam.audit.findings.rules.site import FALSE, PREFIX, TRUE, UNREAD, cases_of, days

CASES = {
    "used 100 days ago": (lambda site: site.role(used=days(100)), TRUE),
    "never, and old": (lambda site: site.role(), TRUE),
    "never, and new": (lambda site: site.role(created_at=days(5)), FALSE),
    "used yesterday": (lambda site: site.role(used=days(1)), FALSE),
    "AWS’s own": (lambda site: site.role(arn=f"{PREFIX}role/aws-service-role/x/Linked"), FALSE),
    "roles not synced": (lambda site: site.unsynced.add("roles"), UNREAD),
}
test_cases = cases_of(RoleUnused90Days(), CASES)
