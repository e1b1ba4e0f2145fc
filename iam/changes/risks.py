"""What makes a change risky, and how risky that is: the words and levels that receipts, pages and approval
rules share.
"""

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
LAST_ADMINISTRATOR: Final = "last-administrator"
MFA_REMOVED: Final = "mfa-removed"
ASSERTION_BROKEN: Final = "assertion-broken"

NORMAL: Final = "normal"
SENSITIVE: Final = "sensitive"
CRITICAL: Final = "critical"
LEVEL_WORDS: Final = {NORMAL: "Normal risk", SENSITIVE: "Sensitive", CRITICAL: "Critical"}
"""Level of risk → how it is called, the lowest first."""

WORDS: Final[dict[str, str]] = {
    ASSERTION_BROKEN: "Breaks an assertion",
    ADMINISTRATOR: "Makes someone an administrator",
    ESCALATION: "Allows privilege escalation",
    EXFILTRATION: "Can carry data out of the account",
    TRUST_OPENED: "Lets someone else assume a role",
    DENY_REMOVED: "Removes a deny",
    IAM_WRITE: "Can change IAM",
    BOUNDARY_REMOVED: "Removes a permissions boundary",
    LAST_ADMINISTRATOR: "Removes the last administrator of the account",
    MFA_REMOVED: "Removes an MFA device",
}
"""Risk → how it is said, the riskiest first."""

GRAVE: Final = (ASSERTION_BROKEN, ADMINISTRATOR, ESCALATION, TRUST_OPENED, BOUNDARY_REMOVED, DENY_REMOVED)
"""Risks by which somebody could take over an account."""
HIGH: Final = "high"
"""The sensitivity of one change whose approver has to look closely, anyone who gains by it; else it is
"normal".
"""


def level_of(risks: Iterable[str], *, sensitivity: str = "") -> str:
    """How risky a request is, by the risks of the whole of it and the sensitivity of its changes.

    The only place where this is decided: header, badge, list, label and the approval rules all ask here. To
    remove access has no risk of its own, unless it locks somebody out, or removes what held them back.
    """
    known = set(risks) & WORDS.keys()
    if not known.isdisjoint(GRAVE):
        return CRITICAL
    return SENSITIVE if known or sensitivity == HIGH else NORMAL
