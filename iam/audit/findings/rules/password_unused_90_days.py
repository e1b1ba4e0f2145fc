"""A console password is unused for 90 days."""

from __future__ import annotations

from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.passwords import UnusedPasswordRule


class PasswordUnused90Days(UnusedPasswordRule):
    """For a password that was never used, the days count from when it was set."""

    kind = "password-unused-90-days"
    severity = FindingSeverity.MEDIUM
    title = "Console password unused for 90 days"
    sentence = "An IAM user has a console password that was not used for more than 90 days."
    days = 90
