"""The words for what makes a change risky; rules of approval and receipts speak them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

ADMINISTRATOR: Final = "administrator"
ESCALATION: Final = "escalation"
EXFILTRATION: Final = "exfiltration"
TRUST_OPENED: Final = "trust-opened"
DENY_REMOVED: Final = "deny-removed"
IAM_WRITE: Final = "iam-write"
BOUNDARY_REMOVED: Final = "boundary-removed"

NORMAL: Final = "normal"
SENSITIVE: Final = "sensitive"
CRITICAL: Final = "critical"
LEVEL_WORDS: Final = {NORMAL: "Normal risk", SENSITIVE: "Sensitive", CRITICAL: "Critical"}
"""Level of risk → how it is called, the lowest first."""

WORDS: Final[dict[str, str]] = {
    ADMINISTRATOR: "Makes someone an administrator",
    ESCALATION: "Allows privilege escalation",
    EXFILTRATION: "Can carry data out of the account",
    TRUST_OPENED: "Lets someone else assume a role",
    DENY_REMOVED: "Removes a deny",
    IAM_WRITE: "Can change IAM",
    BOUNDARY_REMOVED: "Removes a permissions boundary",
}
"""Risk → how it is said, the riskiest first."""

GRAVE: Final = frozenset({ADMINISTRATOR, ESCALATION, EXFILTRATION, TRUST_OPENED, BOUNDARY_REMOVED})
"""Risks by which somebody could take over an account, or carry its data away."""


def level_of(found: Iterable[str], *, sensitivity: str = "") -> str:
    """How risky a request is as a whole: by its risks, and by the `sensitivity` of its changes ("high" where one asks for care)."""
    known = set(found) & WORDS.keys()
    if known & GRAVE:
        return CRITICAL
    return SENSITIVE if known or sensitivity == "high" else NORMAL
