"""Cases of `password-unused-45-days`."""

from __future__ import annotations

from iam.audit.findings.rules.password_unused_45_days import PasswordUnused45Days
from tests.iam.audit.findings.rules.site import FALSE, TRUE, cases_of, days

CASES = {
    "last sign-in 60 days ago": (lambda site: site.user(used=days(60)), TRUE),
    "last sign-in 100 days ago is another kind": (lambda site: site.user(used=days(100)), FALSE),
    "last sign-in yesterday": (lambda site: site.user(used=days(1)), FALSE),
}
test_cases = cases_of(PasswordUnused45Days(), CASES)
