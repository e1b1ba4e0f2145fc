"""Cases of `full-administrator-inline`."""

from __future__ import annotations

from iam.audit.findings.rules.full_administrator_inline import FullAdministratorInline
from tests.iam.audit.findings.rules.site import FALSE, FULL, TRUE, cases_of

CASES = {
    "inline": (lambda site: site.inlined(site.role(), "all", FULL), TRUE),
    "denied by itself": (
        lambda site: site.inlined(
            site.role(), "all", FULL, {"Effect": "Deny", "Action": "*", "Resource": "*"}
        ),
        FALSE,
    ),
}
test_cases = cases_of(FullAdministratorInline(), CASES)
