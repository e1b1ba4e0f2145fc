"""Cases of `password-unused-90-days`."""

from __future__ import annotations

from iam.audit.findings.rules.password_unused_90_days import PasswordUnused90Days
from tests.iam.audit.findings.rules.site import FALSE, TRUE, UNREAD, cases_of, days

CASES = {
    "last sign-in 100 days ago": (lambda site: site.user(used=days(100)), TRUE),
    "never, set 100 days ago": (lambda site: site.user(changed=days(100)), TRUE),
    "never, set yesterday": (lambda site: site.user(changed=days(1)), FALSE),
    "last sign-in 60 days ago": (lambda site: site.user(used=days(60)), FALSE),
    "no password": (lambda site: site.user(used=days(100), password=False), FALSE),
    "not read": (lambda site: site.user(password=None), UNREAD),
}
test_cases = cases_of(PasswordUnused90Days(), CASES)
