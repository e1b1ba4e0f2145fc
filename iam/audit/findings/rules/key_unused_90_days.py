"""An access key is unused for 90 days."""

from __future__ import annotations

from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.user_keys import UnusedKeyRule


class KeyUnused90Days(UnusedKeyRule):
    """Keys that were never used are a kind of their own."""

    kind = "key-unused-90-days"
    severity = FindingSeverity.MEDIUM
    title = "Access key unused for 90 days"
    sentence = "An IAM user has an active access key that was last used more than 90 days ago."
    days = 90
