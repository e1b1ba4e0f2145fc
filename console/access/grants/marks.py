"""The badges of grants, and what permissions are called."""

from __future__ import annotations

from typing import Final

from console.changes.shown import Mark
from iam.access.grants.models import Grant, Sort, State

MARKS: Final[dict[str, Mark]] = {
    State.PREPARING: Mark("Being prepared", "info", "loader-circle"),
    State.WAITING: Mark("Waiting for approval", "note", "hourglass"),
    State.APPLYING: Mark("Being set up", "info", "loader-circle"),
    State.ACTIVE: Mark("Active", "ok", "check"),
    State.PARTLY: Mark("Active in part", "warn", "triangle-alert"),
    State.ENDING: Mark("Being taken away", "info", "loader-circle"),
    State.ENDED: Mark("Ended", "", "check"),
    State.FAILED: Mark("Failed", "bad", "x"),
    State.REJECTED: Mark("Rejected", "bad", "ban"),
    State.WITHDRAWN: Mark("Withdrawn", "", "undo-2"),
    State.EXPIRED: Mark("Not answered in time", "", "timer"),
    State.REFUSED: Mark("Could not be asked for", "bad", "x"),
}
SORTS: Final[dict[str, str]] = {
    Sort.MEMBER: "is a member of",
    Sort.ATTACHED: "has the policy",
    Sort.INLINE: "has the inline policy",
    Sort.TRUST: "trusts, by the statement",
}


def mark_of(grant: Grant) -> Mark:
    """The badge of its state."""
    return MARKS[grant.state]
