"""Cases of `organization-missing`."""

from __future__ import annotations

from iam.audit.findings.rules.organization_missing import OrganizationMissing
from tests.iam.audit.findings.rules.site import FALSE, TRUE, UNREAD, cases_of

MEMBER = {"Id": "o-abcdefghij", "ManagementAccountId": "222222222222"}
CASES = {
    "in none": (lambda site: site.values.update(organization=None), TRUE),
    "a member": (lambda site: site.values.update(organization=MEMBER), FALSE),
    "not read": (lambda site: site.unsynced.add("organization"), UNREAD),
}
test_cases = cases_of(OrganizationMissing(), CASES)
