"""Cases of `policy-attached-to-user`."""

from __future__ import annotations

from iam.audit.findings.rules.policy_attached_to_user import PolicyAttachedToUser
from tests.iam.audit.findings.rules.site import FALSE, TRUE, allow, cases_of

CASES = {
    "attached": (lambda site: site.policy("Read", allow("s3:GetObject"), to=(site.user(),)), TRUE),
    "by a group": (
        lambda site: site.policy("Read", allow("s3:GetObject"), to=(site.group("g", site.user()),)),
        FALSE,
    ),
}
test_cases = cases_of(PolicyAttachedToUser(), CASES)
