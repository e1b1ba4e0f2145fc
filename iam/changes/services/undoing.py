"""Undo a change: the inverse as a change of its own, refused when AWS has moved on since."""

from __future__ import annotations

from iam.changes.errors import RefusedError
from iam.changes.models import OPEN, Change, ChangeState
from iam.changes.operations import Operation, restore
from iam.changes.services.planning import Plan, check_right, plan
from iam.changes.services.requests import asked_before, request_change
from iam.guard import Viewer


def plan_undo(change: Change, *, viewer: Viewer) -> Plan:
    """Plan the inverse of an applied change. Raises RefusedError with the reason why it cannot be undone."""
    _check_reach(change, viewer=viewer)
    return plan(_inverse(change), viewer=viewer, reverts=change)


def undo(change: Change, *, actor: Viewer, reason: str, idempotency_key: str) -> Change:
    """Ask for the inverse of an applied change; it goes through approval like any other. Raises RefusedError.

    The same key of the same person gives the same change.
    """
    operation = restore(change.operation, account=change.account, params=change.params)
    inverse = operation.inverse(change.before)
    if inverse is not None:
        standing = asked_before([inverse], actor=actor, idempotency_key=idempotency_key)
        if standing and standing[0].reverts_id == change.pk:
            return standing[0]
    return request_change(
        plan_undo(change, viewer=actor), actor=actor, reason=reason, idempotency_key=idempotency_key
    )


def why_not_undo(change: Change, *, viewer: Viewer) -> str:
    """Why this viewer cannot undo an applied change now, or "" if they can."""
    try:
        _check_reach(change, viewer=viewer)
        _inverse(change)
    except RefusedError as refused:
        return refused.message
    return ""


def _check_reach(change: Change, *, viewer: Viewer) -> None:
    """Before how things stand decides anything: that is not for those to know who no longer reach the person or the group."""
    check_right(restore(change.operation, account=change.account, params=change.params), viewer=viewer)


def _inverse(change: Change) -> Operation:
    if change.state != ChangeState.APPLIED:
        raise RefusedError("Only an applied change can be undone.", change=change)
    if change.already_so:
        raise RefusedError("AWS was so already, and this change altered nothing: there is nothing to undo.")
    standing = (
        change.reverted_by.filter(state__in=[*OPEN, ChangeState.APPLIED]).order_by("-created_at").first()
    )
    if standing is not None:
        said = "is undone already" if standing.state == ChangeState.APPLIED else "is being undone"
        raise RefusedError(f"This {said}, by {standing.reference}.", change=standing)
    operation = restore(change.operation, account=change.account, params=change.params)
    inverse = operation.inverse(change.before)
    if inverse is None:
        raise RefusedError("AWS offers no way back from this.")
    shown = operation.mirrored()
    if shown is None:
        raise RefusedError(
            "What this was about is gone from AWS (or was made again), so it cannot be undone."
        )
    if not operation.satisfied(shown):
        raise RefusedError(
            "AWS has moved on: somebody changed this again since. Undoing now would undo their work, not this change."
        )
    return inverse
