"""Requests the undo of applied changes by inverse changes, unless AWS has changed since."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from uuid import UUID

from iam.changes.errors import RefusedError
from iam.changes.models import OPEN, Change, ChangeState
from iam.changes.operations import Operation, restore
from iam.changes.services.plans import ChangePlan, check_right, is_made, plan, plan_set
from iam.changes.services.requests import already_requested, request_changes
from iam.changes.titles import undo_title_of
from iam.guard import Viewer


def plan_undo(change: Change, *, viewer: Viewer) -> ChangePlan:
    """Plan the inverse of an applied change. Raises RefusedError if it can't be undone."""
    return plan(_checked_inverse(change, viewer=viewer), viewer=viewer, reverts=change)


def undo(change: Change, *, actor: Viewer, reason: str, idempotency_key: str) -> Change:
    """Request the inverse of an applied change, which needs approval like any other. Raises RefusedError.

    Idempotent by person and key.
    """
    operation = restore(change.operation, account=change.account, params=change.params)
    inverse = operation.inverse(change.before)
    if inverse is not None:
        standing = already_requested([inverse], actor=actor, idempotency_key=idempotency_key)
        if standing and standing[0].reverts_id == change.pk:
            return standing[0]
    return request_changes(
        [plan_undo(change, viewer=actor)],
        actor=actor,
        reason=reason,
        idempotency_key=idempotency_key,
        title=undo_title_of(change),
    )[0]


def plan_undo_of(changes: Sequence[Change], *, viewer: Viewer) -> list[ChangePlan]:
    """Plan the inverses of several applied changes of one set, or of all of it, in reverse order. Raises
    RefusedError.
    """
    ordered = sorted(changes, key=lambda change: change.position, reverse=True)
    inverses: list[Operation] = []
    for change in ordered:
        inverses.append(_checked_inverse(change, viewer=viewer, earlier=inverses))
    return plan_set(inverses, viewer=viewer, reverts=ordered)


def why_not_undo_each(changes: Sequence[Change], *, viewer: Viewer) -> dict[UUID, str]:
    """For each of these changes of one set, why it can't be undone together with those that can; "" if it
    can.
    """
    reasons: dict[UUID, str] = {}
    inverses: list[Operation] = []
    for change in sorted(changes, key=lambda change: change.position, reverse=True):
        try:
            inverses.append(_checked_inverse(change, viewer=viewer, earlier=inverses))
        except RefusedError as refused:
            reasons[change.pk] = refused.message
        else:
            reasons[change.pk] = ""
    return reasons


def undo_several(
    changes: Sequence[Change], *, actor: Viewer, reason: str, idempotency_key: str
) -> list[Change]:
    """Request the inverses of several applied changes of one set, approved together.

    Idempotent by person and key. Raises RefusedError, and then requests nothing.
    """
    if not changes:
        raise RefusedError("Choose what to undo.")
    try:
        planned = plan_undo_of(changes, viewer=actor)
    except RefusedError:
        standing = _asked_with(changes, actor=actor, idempotency_key=idempotency_key)
        if standing:
            return standing
        raise
    title = changes[0].change_set.title or changes[0].title
    whole = changes[0].change_set.changes.count() == len(changes)
    return request_changes(
        planned,
        actor=actor,
        reason=reason,
        idempotency_key=idempotency_key,
        title=f"{'Undo' if whole else 'Undo in part'}: {title}",
    )


def _asked_with(changes: Sequence[Change], *, actor: Viewer, idempotency_key: str) -> list[Change]:
    """The changes that this person already requested with this key to undo exactly these; empty if none."""
    earlier = Change.objects.filter(idempotency_key__startswith=f"{actor.person_id}:{idempotency_key[:64]}:")
    standing = list(earlier.order_by("position"))
    return standing if {change.reverts_id for change in standing} == {change.pk for change in changes} else []


def why_not_undo(change: Change, *, viewer: Viewer) -> str:
    """Why this viewer can't undo an applied change now; "" if they can."""
    try:
        _checked_inverse(change, viewer=viewer)
    except RefusedError as refused:
        return refused.message
    return ""


def _checked_inverse(change: Change, *, viewer: Viewer, earlier: Sequence[Operation] = ()) -> Operation:
    """The operation that undoes a change, after the `earlier` ones of its set.

    Rights are checked before the state, so that people who no longer reach the person or group learn nothing.
    """
    operation = restore(change.operation, account=change.account, params=change.params)
    inverse = operation.inverse(change.before)
    if inverse is not None:
        inverse = _reborn(inverse, earlier)
    checked = operation if inverse is None else inverse
    check_right(checked, viewer=viewer, earlier=earlier)
    _check_state(change)
    if inverse is None:
        raise RefusedError(operation.irreversible or "AWS can’t undo this.")
    if not is_made(inverse, earlier):
        _check_still_so(operation)
    return inverse


def _reborn(inverse: Operation, earlier: Sequence[Operation]) -> Operation:
    """The operation on an entity that an earlier operation of the set recreates, and whose unique id is not
    known yet.
    """
    created = set(chain.from_iterable(operation.created_arns() for operation in earlier))
    params = dict(inverse.params)
    for name, value in inverse.params.items():
        if not name.endswith("_arn"):
            continue
        id_name = f"{name.removesuffix('_arn')}_id"
        if value in created and id_name in params:
            params[id_name] = ""
    return restore(inverse.slug, account=inverse.account, params=params)


def _check_state(change: Change) -> None:
    if change.state != ChangeState.APPLIED:
        raise RefusedError("Only a change that is done can be undone.", change=change)
    if change.already_so:
        raise RefusedError(
            "This was already done in AWS, so this change did nothing and there is nothing to undo."
        )
    standing = (
        change.reverted_by.filter(state__in=[*OPEN, ChangeState.APPLIED]).order_by("-created_at").first()
    )
    if standing is None:
        return
    if standing.state != ChangeState.APPLIED:
        raise RefusedError(f"This is being undone by {standing.reference}.", change=standing)
    latest, is_undone = _latest_of(standing)
    if is_undone:
        raise RefusedError(f"This has already been undone by {latest.reference}.", change=latest)
    raise RefusedError(
        f"This was undone by {standing.reference}, and then applied again by {latest.reference}. Undo "
        f"{latest.reference} instead.",
        change=latest,
    )


def _latest_of(undo: Change) -> tuple[Change, bool]:
    """Return the last change of a chain of applied undos of undos, and whether it leaves undone what the
    first of them undid.
    """
    latest, is_undone = undo, True
    while True:
        following = latest.reverted_by.filter(state=ChangeState.APPLIED).order_by("-created_at").first()
        if following is None:
            return latest, is_undone
        latest, is_undone = following, not is_undone


def _check_still_so(operation: Operation) -> None:
    shown = operation.state_in_mirror()
    if shown is None:
        raise RefusedError("What this changed was deleted from AWS or created again, so it can’t be undone.")
    if not operation.satisfied(shown):
        raise RefusedError(
            "Someone has changed this in AWS since. Undoing now would undo their work, not this change."
        )
