"""Badges of grants, and names of permission types and of the ways to give them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from console.changes.presenters import StateMark
from iam.access.grants.models import Grant, GrantState, PermissionSort
from iam.access.grants.plans import WAYS, GrantWay
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
PLAIN_SORTS: Final[dict[str, str]] = {
    PermissionSort.MEMBER: "is in the group",
    PermissionSort.ATTACHED: "has the permissions in",
    PermissionSort.INLINE: "has the permissions in",
    PermissionSort.TRUST: "lets people in through",
}
"""The same for people who don’t know AWS’s terms."""
MADE: Final[dict[str, str]] = {
    PermissionSort.POLICY: "The policy",
    PermissionSort.ROLE: "The role",
}
PLAIN_MADE: Final[dict[str, str]] = {
    PermissionSort.POLICY: "The list of permissions",
    PermissionSort.ROLE: "The role to switch to",
}
PLAIN_WAYS: Final[dict[str, str]] = {
    GrantWay.GROUP: "Through a group",
    GrantWay.ATTACH: "Through permissions that exist already",
    GrantWay.POLICY: "Through permissions made for this grant",
    GrantWay.INLINE: "Given directly",
    GrantWay.TRUST: "Through a role that exists already",
    GrantWay.ROLE: "Through a role made for this grant",
    GrantWay.SEVERAL: "In several ways",
}


ALTERED: Final = StateMark("Changed in AWS", "warn", "triangle-alert")
"""For an active grant of which a part is missing in AWS."""


def relation_words(sort: str, *, plain: bool) -> str:
    """Return how a holder relates to what they got; "" for what is made for a grant."""
    words = PLAIN_SORTS if plain else SORTS
    return words.get(sort, "")


def made_words(sort: str, *, plain: bool) -> str:
    """Return what a role or policy that is made for a grant is called; "" for other permissions."""
    words = PLAIN_MADE if plain else MADE
    return words.get(sort, "")


def ways_words(*, plain: bool) -> dict[str, str]:
    """Return the labels of the ways to give access."""
    return PLAIN_WAYS if plain else {str(way): label for way, label in WAYS.items()}


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
