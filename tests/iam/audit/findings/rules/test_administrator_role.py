"""Cases of `administrator-role`."""

from __future__ import annotations

from iam.audit.findings.rules.administrator_role import AdministratorRole
from tests.iam.audit.findings.rules.site import CONDITIONAL, FALSE, FULL, TRUE, allow, cases_of

NETWORK = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}

CASES = {
    "administrator": (lambda site: site.policy("Admin", FULL, to=(site.role(),)), TRUE),
    "only from one network": (
        lambda site: site.policy("Admin", FULL | {"Condition": NETWORK}, to=(site.role(),)),
        CONDITIONAL,
    ),
    "less": (lambda site: site.policy("Some", allow("s3:*"), to=(site.role(),)), FALSE),
    "Gatehouse’s own": (lambda site: site.policy("Admin", FULL, to=(site.role("gatehouse-writer"),)), FALSE),
}
test_cases = cases_of(AdministratorRole(), CASES)
