"""A console password is unused for 45 days."""

from __future__ import annotations

from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.passwords import UnusedPasswordRule


class PasswordUnused45Days(UnusedPasswordRule):
    """Passwords unused for more than 90 days are a kind of their own."""

    kind = "password-unused-45-days"
    severity = FindingSeverity.LOW
    title = "Console password unused for 45 days"
    sentence = "An IAM user has a console password that was not used for 45 to 90 days."
    days = 45
    most = 90
