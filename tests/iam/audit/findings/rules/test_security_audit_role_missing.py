"""Cases of `security-audit-role-missing`."""

from __future__ import annotations

from iam.audit.findings.rules.security_audit_role_missing import SecurityAuditRoleMissing
from tests.iam.audit.findings.rules.site import FALSE, TRUE, allow, cases_of

CASES = {
    "nobody": (lambda site: site.user(), TRUE),
    "a user only": (
        lambda site: site.policy("SecurityAudit", allow("iam:Get*"), to=(site.user(),), aws=True),
        TRUE,
    ),
    "a role": (
        lambda site: site.policy("SecurityAudit", allow("iam:Get*"), to=(site.role(),), aws=True),
        FALSE,
    ),
}
test_cases = cases_of(SecurityAuditRoleMissing(), CASES)
