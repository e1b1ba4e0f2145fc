"""Cases of `group-without-users`."""

from __future__ import annotations

from iam.audit.findings.rules.group_without_users import GroupWithoutUsers
from tests.iam.audit.findings.rules.site import FALSE, TRUE, cases_of

CASES = {
    "empty": (lambda site: site.group("g"), TRUE),
    "with a user": (lambda site: site.group("g", site.user()), FALSE),
}
test_cases = cases_of(GroupWithoutUsers(), CASES)
