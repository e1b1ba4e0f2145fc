"""Cases of `deprecated-managed-policy`."""

from __future__ import annotations

from iam.audit.findings.rules.deprecated_managed_policy import DeprecatedManagedPolicy
from tests.iam.audit.findings.rules.site import FALSE, TRUE, allow, cases_of

CASES = {
    "deprecated": (
        lambda site: site.policy("AmazonEC2RoleforSSM", allow("ssm:*"), to=(site.role(),), aws=True),
        TRUE,
    ),
    "current": (
        lambda site: site.policy("ReadOnlyAccess", allow("s3:Get*"), to=(site.role(),), aws=True),
        FALSE,
    ),
    "one’s own of that name": (
        lambda site: site.policy("AmazonEC2RoleforSSM", allow("ssm:*"), to=(site.role(),)),
        FALSE,
    ),
    "unattached": (lambda site: site.policy("AmazonEC2RoleforSSM", allow("ssm:*"), aws=True), FALSE),
}
test_cases = cases_of(DeprecatedManagedPolicy(), CASES)
