"""The words for what makes a change risky; rules of approval and receipts speak them."""

from __future__ import annotations

from typing import Final

ADMINISTRATOR: Final = "administrator"
ESCALATION: Final = "escalation"
EXFILTRATION: Final = "exfiltration"
TRUST_OPENED: Final = "trust-opened"
DENY_REMOVED: Final = "deny-removed"
IAM_WRITE: Final = "iam-write"
BOUNDARY_REMOVED: Final = "boundary-removed"

WORDS: Final[dict[str, str]] = {
    ADMINISTRATOR: "Somebody becomes administrator",
    ESCALATION: "Somebody can raise their own permissions",
    EXFILTRATION: "Somebody can carry data out of the account",
    TRUST_OPENED: "Somebody else may assume a role",
    DENY_REMOVED: "A deny goes",
    IAM_WRITE: "Somebody can change IAM",
    BOUNDARY_REMOVED: "A permissions boundary goes",
}
"""Risk → how it is said, the weightiest first."""
