"""Cases of `unknown-action`."""

from __future__ import annotations

from iam.audit.findings.rules.unknown_action import UnknownAction
from tests.iam.audit.findings.rules.site import FALSE, TRUE, allow, cases_of

CASES = {
    "no such action": (lambda site: site.policy("P", allow("s3:GetObjects"), to=(site.user(),)), TRUE),
    "a pattern": (lambda site: site.policy("P", allow("s3:GetObj*"), to=(site.user(),)), FALSE),
    "fine": (lambda site: site.policy("P", allow("s3:GetObject"), to=(site.user(),)), FALSE),
}
test_cases = cases_of(UnknownAction(), CASES)
