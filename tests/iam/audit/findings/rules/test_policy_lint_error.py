"""Cases of `policy-lint-error`."""

from __future__ import annotations

from iam.audit.findings.rules.policy_lint_error import PolicyLintError
from tests.iam.audit.findings.rules.site import FALSE, TRUE, allow, cases_of

CASES = {
    "an ARN is cut short": (
        lambda site: site.policy("P", allow("s3:GetObject", "arn:aws:s3::archive/x"), to=(site.user(),)),
        TRUE,
    ),
    "an element that doesn’t exist": (
        lambda site: site.policy("P", allow("s3:GetObject", Effects="Allow"), to=(site.user(),)),
        TRUE,
    ),
    "fine": (
        lambda site: site.policy("P", allow("s3:GetObject", "arn:aws:s3:::archive/*"), to=(site.user(),)),
        FALSE,
    ),
    "an unknown action is another kind": (lambda site: site.policy("P", allow("s3:GetObjects")), FALSE),
    "AWS’s own": (
        lambda site: site.policy("P", allow("s3:GetObject", "arn:aws:s3::archive/x"), aws=True),
        FALSE,
    ),
}
test_cases = cases_of(PolicyLintError(), CASES)
