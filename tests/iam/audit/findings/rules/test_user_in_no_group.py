"""Cases of `user-in-no-group`."""

from __future__ import annotations

from iam.audit.findings.rules.user_in_no_group import UserInNoGroup
from tests.iam.audit.findings.rules.site import FALSE, TRUE, UNREAD, cases_of

CASES = {
    "no group": (lambda site: site.user(), TRUE),
    "in a group": (lambda site: site.group("g", site.user()), FALSE),
    "a machine": (lambda site: site.user(password=False), FALSE),
    "not read": (lambda site: site.user(password=None), UNREAD),
}
test_cases = cases_of(UserInNoGroup(), CASES)
