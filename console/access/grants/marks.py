"""The badges of grants, and what permissions are called."""

from __future__ import annotations

from typing import Final

from console.changes.presenters import Mark
from iam.access.grants.models import Grant, Sort, State

MARKS: Final[dict[str, Mark]] = {
    State.PREPARING: Mark("Preparing", "info", "loader-circle"),
    State.WAITING: Mark("Waiting for approval", "note", "hourglass"),
    State.APPLYING: Mark("Setting up", "info", "loader-circle"),
    State.ACTIVE: Mark("Active", "ok", "check"),
    State.PARTLY: Mark("Partly active", "warn", "triangle-alert"),
    State.ENDING: Mark("Ending", "info", "loader-circle"),
    State.ENDED: Mark("Ended", "", "check"),
    State.FAILED: Mark("Failed", "bad", "x"),
    State.REJECTED: Mark("Rejected", "bad", "ban"),
    State.WITHDRAWN: Mark("Withdrawn", "", "undo-2"),
    State.EXPIRED: Mark("Expired", "", "timer"),
    State.REFUSED: Mark("Not submitted", "bad", "x"),
}
SORTS: Final[dict[str, str]] = {
    Sort.MEMBER: "is a member of",
    Sort.ATTACHED: "has the policy",
    Sort.INLINE: "has the inline policy",
    Sort.TRUST: "trusts, through the statement",
}


def mark_of(grant: Grant) -> Mark:
    """The badge of its state."""
    return MARKS[grant.state]
