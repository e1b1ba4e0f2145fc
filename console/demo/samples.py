"""Helpers that act as people of the sample organization, through the services, with the approvals that the
rules require.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.directory.models import Person
from iam.guard import Viewer, viewer_for

DOMAIN: Final = "northline.example"


def viewer_of(login: str) -> Viewer | None:
    """Return the viewer of a person by user name; None if there is no active person."""
    person = Person.objects.filter(email=f"{login}@{DOMAIN}", is_active=True).first()
    return viewer_for(person) if person else None


def approve_all(first: Change | None, logins: Sequence[str]) -> None:
    """Approve a change's set by as many of these people as the rules require."""
    for login in logins:
        approver = viewer_of(login)
        if first is None or approver is None or first.state != ChangeState.AWAITING:
            return
        try:
            changes.approve(first, actor=approver, seen_digest=first.change_set.receipt_digest)
        except RefusedError:
            # Skip the requester and people who have already approved.
            continue
        first.refresh_from_db()
