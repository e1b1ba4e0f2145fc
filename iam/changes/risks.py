"""Defines the risks of changes, their labels and risk levels, for receipts, pages and approval rules."""

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
"""The labels of risk levels, lowest first."""

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
"""The labels of risks, riskiest first."""

GRAVE: Final = (ASSERTION_BROKEN, ADMINISTRATOR, ESCALATION, TRUST_OPENED, BOUNDARY_REMOVED, DENY_REMOVED)
"""Risks that could let someone take over an account."""
HIGH: Final = "high"
"""The sensitivity of a change that approvers must check closely for every recipient; otherwise it is
"normal".
"""


def level_of(risks: Iterable[str], *, sensitivity: str = "") -> str:
    """The risk level of a request, from its overall risks and the sensitivity of its changes.

    The only place that decides this: header, badge, list, label and approval rules all use it. Removing
    access is no risk, unless it locks someone out or removes a restriction.
    """
    known = set(risks) & WORDS.keys()
    if not known.isdisjoint(GRAVE):
        return CRITICAL
    return SENSITIVE if known or sensitivity == HIGH else NORMAL
