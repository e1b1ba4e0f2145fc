"""Lets a person request to deactivate, activate or delete an access key of their own IAM user outside of a
rotation.
"""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from iam.changes.operations.user_credential import ACTIVATE, DEACTIVATE, DELETE
from iam.changes.services import SetCause
from iam.guard import Right, Viewer
from iam.mirror.models import Entity, Kind
from iam.people.rotation.rotation_plan import for_own

OF_OWN_KEY: Final = "own_key"
"""The cause of a set that a person requested for their own key, if they can request changes only for
themselves.
"""
ACTS: Final = tuple(by_kind[Kind.ACCESS_KEY].slug for by_kind in (DEACTIVATE, ACTIVATE, DELETE))


def may_request_for_own(viewer: Viewer, *, act: str, user: Entity) -> bool:
    """Return True if the operation concerns a key of the viewer's own IAM user."""
    return act in ACTS and user.arn in viewer.scope.user_arns


def requester_of(viewer: Viewer, *, act: str, user: Entity) -> tuple[Viewer, SetCause]:
    """Return the viewer with the scope that the operation needs, and the cause by which that scope is checked
    again at approval.
    """
    is_reached = viewer.may(Right.REQUEST_CHANGE, account_id=user.account.account_id)
    if is_reached or not may_request_for_own(viewer, act=act, user=user):
        return viewer, SetCause()
    return for_own(viewer), SetCause(OF_OWN_KEY, uuid4())
