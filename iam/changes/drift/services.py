"""Accepts drift with a reason, or requests a change that undoes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from django.db import transaction

from iam.changes.drift.mirror_history import ObservedThing, happened_at
from iam.changes.drift.models import Drift, DriftState
from iam.changes.drift.reversal import DriftReversal
from iam.changes.drift.reversals import reversals
from iam.changes.drift.settings import SETTINGS, setting_of, turned_back
from iam.changes.errors import RefusedError
from iam.changes.models import OPEN, Change, ChangeState
from iam.changes.operations import Operation
from iam.changes.services.plans import ChangePlan, check_account, plan_set
from iam.changes.services.requests import MAX_REASON, SetCause, request_changes
from iam.guard import Right, Viewer
from iam.journal.services import Actor, record

CAUSE = "drift"
MAX_DRIFTS = 500
"""The maximum number of drifts to accept at once."""


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """The plan of an undo: the changes in order, and the differences that stay, with reasons."""

    plans: list[ChangePlan]
    stays: list[DriftReversal]


def may_adopt(viewer: Viewer, *, account_id: str) -> bool:
    """True if the viewer can accept drift in the account: approvers and administrators."""
    rights = (Right.APPROVE_CHANGE, Right.MANAGE_ACCOUNTS)
    return any(viewer.may(right, account_id=account_id) for right in rights)


def adopt(drifts: Sequence[Drift], *, actor: Viewer, reason: str) -> int:
    """Accept drifts with a reason. Returns their number. Those that somebody else decided meanwhile are
    skipped.

    Raises RefusedError.
    """
    reason = reason.strip()
    if not reason:
        raise RefusedError("Enter a reason: auditors read it.")
    if len(reason) > MAX_REASON:
        raise RefusedError(f"The reason has {len(reason):,} characters. The limit is {MAX_REASON:,}.")
    if not drifts:
        raise RefusedError("Select at least one difference.")
    if len(drifts) > MAX_DRIFTS:
        raise RefusedError(f"You can accept at most {MAX_DRIFTS} differences at once.")
    for drift in drifts:
        if not may_adopt(actor, account_id=drift.account.account_id):
            raise RefusedError(f"You can view {drift.account.name}, but you can’t accept differences in it.")
    with transaction.atomic():
        taken = [
            drift for drift in drifts if _decide(drift, to=DriftState.ADOPTED, actor=actor, reason=reason)
        ]
    if not taken:
        raise RefusedError("Someone else has already decided this.")
    return len(taken)


def plan_undo(drift: Drift, *, viewer: Viewer) -> UndoPlan:
    """Plan the undo of a drift. Raises RefusedError if nothing can be undone or AWS has changed
    again since.
    """
    operations, stays = _turned_back(drift)
    return UndoPlan(plan_set(operations, viewer=viewer), stays)


def undo(drift: Drift, *, actor: Viewer, reason: str, idempotency_key: str) -> list[Change]:
    """Request the undo of a drift, which needs approval like any change. Idempotent by key. Raises
    RefusedError.
    """
    standing = _asked_with(drift, actor=actor, idempotency_key=idempotency_key)
    if standing:
        return standing
    planned = plan_undo(drift, viewer=actor)
    with transaction.atomic():
        changes = request_changes(
            planned.plans,
            actor=actor,
            reason=reason,
            idempotency_key=idempotency_key,
            title=f"Undo {drift.reference}: {drift.name}"[:512],
            cause=SetCause(CAUSE, drift.pk),
        )
        open_drift = Drift.objects.filter(pk=drift.pk, state=DriftState.OPEN)
        remainder = "; ".join(f"{reversal.what}: {reversal.why_not}" for reversal in planned.stays)[:1024]
        if not open_drift.update(
            state=DriftState.UNDOING,
            change_set=changes[0].change_set_id,
            remainder=remainder,
            reason=reason[:1024],
        ):
            raise RefusedError("Someone else has already decided this.")
    return changes


def _asked_with(drift: Drift, *, actor: Viewer, idempotency_key: str) -> list[Change]:
    prefix = f"{actor.person_id}:{idempotency_key[:64]}:"
    changes = Change.objects.filter(
        idempotency_key__startswith=prefix, change_set__cause_kind=CAUSE, change_set__cause_id=drift.pk
    )
    return list(changes.order_by("position"))


def _turned_back(drift: Drift) -> tuple[list[Operation], list[DriftReversal]]:
    if drift.state != DriftState.OPEN:
        raise RefusedError(f"This was already decided: {drift.get_state_display().lower()}.")
    check_account(drift.account)
    every = _reversals(drift)
    if moved := next((reversal for reversal in every if reversal.has_moved_on), None):
        raise RefusedError(f"{moved.what}: {moved.why_not}")
    operations = list(chain.from_iterable(reversal.operations for reversal in every))
    stays = [reversal for reversal in every if not reversal.operations]
    if not operations:
        raise RefusedError(
            " ".join(f"{reversal.what}: {reversal.why_not}" for reversal in stays)
            or "There is nothing to undo."
        )
    return operations, stays


def _reversals(drift: Drift) -> list[DriftReversal]:
    if drift.entity is None:
        changed = setting_of(drift)
        return [turned_back(changed, account=drift.account)] if changed else []
    if drift.entity.gone_at is not None and drift.entity.gone_at != drift.seen_at:
        raise RefusedError(f"{drift.name} was deleted in AWS since then.")
    place = ObservedThing(drift.entity.pk, drift.seen_at)
    event = happened_at([place]).get(place)
    return reversals(event) if event else []


def _decide(drift: Drift, *, to: DriftState, actor: Actor, reason: str) -> bool:
    """Store the decision on an open drift, in the caller's transaction. Returns False if it is no longer
    open.
    """
    open_drift = Drift.objects.filter(pk=drift.pk, state=DriftState.OPEN)
    who = {"decided_by": getattr(actor, "person_id", None), "decided_label": actor.name[:128]}
    if not open_drift.update(state=to, reason=reason, decided_at=datetime.now(tz=UTC), **who):
        return False
    _write_journal(drift, act=to.value, actor=actor, reason=reason)
    return True


def _write_journal(drift: Drift, *, act: str, actor: Actor | None, reason: str = "") -> None:
    subject = drift.entity.arn if drift.entity else SETTINGS[drift.fact]
    record(
        kind=f"drift.{act}",
        actor=actor,
        subject=subject,
        account_id=drift.account.account_id,
        data={
            "drift": drift.id,
            "name": drift.name,
            "seen_at": drift.seen_at,
            **({"reason": reason} if reason else {}),
            **({"change_set": drift.change_set_id} if drift.change_set_id else {}),
        },
    )


def after_end(change: Change) -> None:
    """Mark a drift as undone once all changes of its undo are applied; reopen it if one was not (a handler of
    ends).
    """
    cause = change.change_set
    if cause.cause_kind == CAUSE and cause.cause_id is not None:
        _settle(Drift.objects.filter(pk=cause.cause_id).select_related("account", "entity").first())


def settle_undoings() -> None:
    """Settle all drifts with a requested undo, in case a handler was missed."""
    waiting = Drift.objects.filter(state=DriftState.UNDOING).select_related("account", "entity")
    for drift in waiting.order_by("seen_at")[:MAX_DRIFTS]:
        _settle(drift)


def _settle(drift: Drift | None) -> None:
    if drift is None or drift.state != DriftState.UNDOING or drift.change_set_id is None:
        return
    parts = list(Change.objects.filter(change_set=drift.change_set_id).order_by("position"))
    states = {part.state for part in parts}
    if states & set(OPEN):
        return
    is_done = states == {ChangeState.APPLIED}
    with transaction.atomic():
        undoing = Drift.objects.filter(pk=drift.pk, state=DriftState.UNDOING, change_set=drift.change_set_id)
        values = (
            {
                "state": DriftState.UNDONE,
                "decided_by": parts[0].requested_by,
                "decided_label": parts[0].requested_label,
                "decided_at": datetime.now(tz=UTC),
            }
            if is_done
            else {"state": DriftState.OPEN, "change_set": None, "remainder": "", "reason": ""}
        )
        if undoing.update(**values):
            act = "undone" if is_done else "not_undone"
            _write_journal(drift, act=act, actor=None)
