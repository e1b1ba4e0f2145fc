"""An access key is unused for 45 days."""

from __future__ import annotations

from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.user_keys import UnusedKeyRule


class KeyUnused45Days(UnusedKeyRule):
    """Keys unused for more than 90 days are a kind of their own."""

    kind = "key-unused-45-days"
    severity = FindingSeverity.LOW
    title = "Access key unused for 45 days"
    sentence = "An IAM user has an active access key that was last used 45 to 90 days ago."
    days = 45
    most = 90
