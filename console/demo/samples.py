"""Who acts in what is made for the sample organisation: its own people, through the services, with as many
approvals as the rules ask for.
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
    """Somebody by their login; None where they are not there."""
    person = Person.objects.filter(email=f"{login}@{DOMAIN}", is_active=True).first()
    return viewer_for(person) if person else None


def approve_all(first: Change | None, logins: Sequence[str]) -> None:
    """As many of these agree to the set of a change as the rules ask for."""
    for login in logins:
        approver = viewer_of(login)
        if first is None or approver is None or first.state != ChangeState.AWAITING:
            return
        try:
            changes.approve(first, actor=approver, seen_digest=first.change_set.receipt_digest)
        except RefusedError:
            # Anyone who asked, or has agreed, is not asked again; the next one is.
            continue
        first.refresh_from_db()
