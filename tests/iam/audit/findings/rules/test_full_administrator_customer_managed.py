"""Cases of `full-administrator-customer-managed`."""

from __future__ import annotations

from iam.audit.findings.rules.full_administrator_customer_managed import FullAdministratorCustomerManaged
from tests.iam.audit.findings.rules.site import CONDITIONAL, FALSE, FULL, MFA, TRUE, allow, cases_of

CASES = {
    "attached": (lambda site: site.policy("Mine", FULL, to=(site.role(),)), TRUE),
    "with a condition": (
        lambda site: site.policy("Mine", FULL | {"Condition": MFA}, to=(site.user(),)),
        CONDITIONAL,
    ),
    "unattached is another kind": (lambda site: site.policy("Mine", FULL), FALSE),
    "less than everything": (lambda site: site.policy("Mine", allow("s3:*"), to=(site.role(),)), FALSE),
}
test_cases = cases_of(FullAdministratorCustomerManaged(), CASES)
