"""Badges of grants, and names of permission types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from console.changes.presenters import StateMark
from iam.access.grants.models import Grant, GrantState, PermissionSort
from iam.access.grants.verify import altered_grants

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


ALTERED: Final = StateMark("Changed in AWS", "warn", "triangle-alert")
"""Of a grant that was set up, and of which AWS no longer shows everything."""


def mark_of(grant: Grant) -> StateMark:
    """Return the badge of a grant's state."""
    return MARKS[grant.state]


def marks_of(grants: Sequence[Grant]) -> dict[UUID, StateMark]:
    """The badges of grants, by what AWS still shows of them; one query."""
    altered = altered_grants(grants)
    marks = {}
    for grant in grants:
        is_altered = grant.pk in altered and grant.state == GrantState.ACTIVE
        marks[grant.pk] = ALTERED if is_altered else mark_of(grant)
    return marks
