"""Cases of `support-role-missing`."""

from __future__ import annotations

from iam.audit.findings.rules.support_role_missing import SupportRoleMissing
from tests.iam.audit.findings.rules.site import FALSE, TRUE, UNREAD, allow, cases_of

CASES = {
    "nobody": (lambda site: site.user(), TRUE),
    "attached to nobody": (lambda site: site.policy("AWSSupportAccess", allow("support:*"), aws=True), TRUE),
    "a role": (
        lambda site: site.policy("AWSSupportAccess", allow("support:*"), to=(site.role(),), aws=True),
        FALSE,
    ),
    "policies not synced": (lambda site: site.unsynced.add("policies"), UNREAD),
}
test_cases = cases_of(SupportRoleMissing(), CASES)
