"""Cases of `password-without-hardware-mfa`."""

from __future__ import annotations

from iam.audit.findings.rules.password_without_hardware_mfa import PasswordWithoutHardwareMfa
from tests.iam.audit.findings.rules.site import FALSE, TRUE, UNREAD, cases_of

CASES = {
    "virtual": (lambda site: site.user(mfa="virtual"), TRUE),
    "security key": (lambda site: site.user(mfa="security-key"), FALSE),
    "several": (lambda site: site.user(mfa="several"), FALSE),
    "no password": (lambda site: site.user(mfa="virtual", password=False), FALSE),
    "devices not read": (lambda site: site.unsynced.add("user_mfa") or site.user(mfa="virtual"), UNREAD),
}
test_cases = cases_of(PasswordWithoutHardwareMfa(), CASES)
