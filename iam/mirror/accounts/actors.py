"""Who manages accounts: a viewer with the right, or the command line of the machine itself."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied

from iam.guard import Right, Viewer
from iam.journal.services import SystemActor

Actor = Viewer | SystemActor


def must_manage(actor: Actor, *, account_id: str) -> None:
    """Raise PermissionDenied unless the actor manages this account; a blank number stands for all accounts.

    Anyone who can run commands on the machine holds its database anyway, so the command line may do
    everything.
    """
    if isinstance(actor, Viewer) and not actor.may(Right.MANAGE_ACCOUNTS, account_id=account_id):
        raise PermissionDenied("You don’t have permission to manage this account.")


def person_of(actor: Actor) -> UUID | None:
    """The person's id for `requested_by`; None for the command line."""
    return actor.person_id
