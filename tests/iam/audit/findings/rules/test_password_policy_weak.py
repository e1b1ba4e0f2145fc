"""Cases of `password-policy-weak`."""

from __future__ import annotations

from iam.audit.findings.rules.password_policy_weak import PasswordPolicyWeak
from tests.iam.audit.findings.rules.site import FALSE, TRUE, cases_of

GOOD = {
    "minimum_length": 14,
    "requires_numbers": True,
    "requires_lowercase": True,
    "reuse_prevention": 24,
    "expires": True,
    "maximum_age": 90,
}

CASES = {
    "short": (lambda site: site.values.update(password_policy=GOOD | {"minimum_length": 8}), TRUE),
    "no digits": (lambda site: site.values.update(password_policy=GOOD | {"requires_numbers": False}), TRUE),
    "reuse": (lambda site: site.values.update(password_policy=GOOD | {"reuse_prevention": None}), TRUE),
    "no expiry": (lambda site: site.values.update(password_policy=GOOD | {"expires": False}), TRUE),
    "good": (lambda site: site.values.update(password_policy=GOOD), FALSE),
    "none is another kind": (lambda site: site.values.update(password_policy=None), FALSE),
}
test_cases = cases_of(PasswordPolicyWeak(), CASES)
