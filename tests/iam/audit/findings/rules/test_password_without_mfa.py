"""Cases of `password-without-mfa`."""

from __future__ import annotations

from iam.audit.findings.rules.password_without_mfa import PasswordWithoutMfa
from tests.iam.audit.findings.rules.site import FALSE, FULL, TRUE, UNREAD, cases_of

CASES = {
    "no MFA": (lambda site: site.user(mfa="none"), TRUE),
    "virtual device": (lambda site: site.user(mfa="virtual"), FALSE),
    "no password": (lambda site: site.user(mfa="none", password=False), FALSE),
    "an administrator is another kind": (
        lambda site: site.policy("AdministratorAccess", FULL, to=(site.user(mfa="none"),), aws=True),
        FALSE,
    ),
    "MFA not read": (lambda site: site.user(mfa="unread"), UNREAD),
    "no credential report": (lambda site: site.user(mfa="none", password=None), UNREAD),
    "users not synced whole": (lambda site: site.unsynced.add("users") or site.user(mfa="none"), UNREAD),
}
test_cases = cases_of(PasswordWithoutMfa(), CASES)
