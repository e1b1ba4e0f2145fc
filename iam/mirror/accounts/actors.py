"""The actors that can manage accounts: a viewer with the right, or the command line."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied

from iam.guard import Right, Viewer
from iam.journal.services import SystemActor

Actor = Viewer | SystemActor


def must_manage(actor: Actor, *, account_id: str) -> None:
    """Raise PermissionDenied unless the actor can manage this account. A blank ID stands for all accounts.

    The command line can do everything, because someone who can run commands on the host also has its
    database.
    """
    if isinstance(actor, Viewer) and not actor.may(Right.MANAGE_ACCOUNTS, account_id=account_id):
        raise PermissionDenied("You don’t have permission to manage this account.")


def person_of(actor: Actor) -> UUID | None:
    """Return the person's id for `requested_by`, or None for the command line."""
    return actor.person_id
