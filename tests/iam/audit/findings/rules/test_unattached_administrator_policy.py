"""Cases of `unattached-administrator-policy`."""

from __future__ import annotations

from iam.audit.findings.rules.unattached_administrator_policy import UnattachedAdministratorPolicy
from tests.iam.audit.findings.rules.site import FALSE, FULL, TRUE, cases_of

CASES = {
    "unattached": (lambda site: site.policy("Old", FULL), TRUE),
    "attached": (lambda site: site.policy("Old", FULL, to=(site.role(),)), FALSE),
    "a boundary": (lambda site: site.bounds.update({site.role(): site.policy("Old", FULL)}), FALSE),
    "an AWS managed policy": (lambda site: site.policy("AdministratorAccess", FULL, aws=True), FALSE),
}
test_cases = cases_of(UnattachedAdministratorPolicy(), CASES)
