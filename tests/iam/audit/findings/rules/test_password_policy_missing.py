"""Cases of `password-policy-missing`."""

from __future__ import annotations

from iam.audit.findings.rules.password_policy_missing import PasswordPolicyMissing
from tests.iam.audit.findings.rules.site import FALSE, TRUE, UNREAD, cases_of

CASES = {
    "none": (lambda site: site.values.update(password_policy=None), TRUE),
    "some": (lambda site: site.values.update(password_policy={"minimum_length": 8}), FALSE),
    "not read": (lambda site: site.unsynced.add("account"), UNREAD),
}
test_cases = cases_of(PasswordPolicyMissing(), CASES)
