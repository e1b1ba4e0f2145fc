"""Cases of `not-action-with-allow`."""

from __future__ import annotations

from iam.audit.findings.rules.not_action_with_allow import NotActionWithAllow
from tests.iam.audit.findings.rules.site import FALSE, TRUE, cases_of

NOT_IAM = {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}

CASES = {
    "with Allow": (lambda site: site.policy("P", NOT_IAM, to=(site.user(),)), TRUE),
    "with Deny": (lambda site: site.policy("P", NOT_IAM | {"Effect": "Deny"}, to=(site.user(),)), FALSE),
    "unattached": (lambda site: site.policy("P", NOT_IAM), FALSE),
}
test_cases = cases_of(NotActionWithAllow(), CASES)
