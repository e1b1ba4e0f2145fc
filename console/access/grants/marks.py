"""Badges of grants, and names of permission types."""

from __future__ import annotations

from typing import Final

from console.changes.presenters import StateMark
from iam.access.grants.models import Grant, GrantState, PermissionSort

MARKS: Final[dict[str, StateMark]] = {
    GrantState.PREPARING: StateMark("Preparing", "info", "loader-circle"),
    GrantState.WAITING: StateMark("Waiting for approval", "note", "hourglass"),
    GrantState.APPLYING: StateMark("Setting up", "info", "loader-circle"),
    GrantState.ACTIVE: StateMark("Active", "ok", "check"),
    GrantState.PARTLY: StateMark("Partly active", "warn", "triangle-alert"),
    GrantState.ENDING: StateMark("Ending", "info", "loader-circle"),
    GrantState.ENDED: StateMark("Ended", "", "check"),
    GrantState.FAILED: StateMark("Failed", "bad", "x"),
    GrantState.REJECTED: StateMark("Rejected", "bad", "ban"),
    GrantState.WITHDRAWN: StateMark("Withdrawn", "", "undo-2"),
    GrantState.EXPIRED: StateMark("Expired", "", "timer"),
    GrantState.REFUSED: StateMark("Not submitted", "bad", "x"),
}
SORTS: Final[dict[str, str]] = {
    PermissionSort.MEMBER: "is a member of",
    PermissionSort.ATTACHED: "has the policy",
    PermissionSort.INLINE: "has the inline policy",
    PermissionSort.TRUST: "trusts, through the statement",
}


def mark_of(grant: Grant) -> StateMark:
    """Return the badge of a grant's state."""
    return MARKS[grant.state]
