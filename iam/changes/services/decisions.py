"""Approve or reject what was asked: never one's own, never on a receipt that is no longer true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction

from iam.changes import nudge
from iam.changes.errors import ReceiptChangedError, RefusedError
from iam.changes.models import Approval, Change, ChangeSet, ChangeState, Decision
from iam.changes.operations import Operation, restore
from iam.changes.receipts import set_receipt_of
from iam.changes.services.planning import check_account, check_right, examine
from iam.changes.services.requests import ANSWER_WITHIN
from iam.changes.states import add_event, move, write_journal
from iam.directory.models import Person
from iam.guard import Right, Viewer, viewer_for

MAX_COMMENT = 1000


@dataclass(frozen=True, slots=True)
class Standing:
    """What a viewer may do about a set that waits: decide, or why not. `is_own` in single-operator mode is to be said aloud."""

    may_decide: bool
    why_not: str = ""
    is_own: bool = False


def standing_of(change: Change, *, viewer: Viewer) -> Standing:
    """Whether the viewer may decide on this change now."""
    if not viewer.may(Right.APPROVE_CHANGE, account_id=change.account.account_id):
        return Standing(may_decide=False, why_not="You may not approve changes in this account.")
    own = change.requested_by == viewer.person_id
    if own and not settings.SINGLE_OPERATOR:
        return Standing(
            may_decide=False, why_not="You asked for this, so somebody else decides.", is_own=True
        )
    return Standing(may_decide=True, is_own=own)


def approve(change: Change, *, actor: Viewer, seen_digest: str, comment: str = "") -> None:
    """Approve the whole set of the change and queue it. `seen_digest` is the set's digest that the approver was shown.

    Every receipt is computed anew from the mirror. Where one differs from what is stored, the new one is stored and
    ReceiptChangedError asks the approver to look again. Raises RefusedError; then nothing is approved.
    """
    comment = _comment(comment)
    _check_decider(change, actor=actor)
    parts = _awaiting(change)
    if _refresh_receipts(parts) or change.change_set.receipt_digest != seen_digest:
        raise ReceiptChangedError(
            "What this would do has changed since it was shown to you. Look at the new receipt, then decide again.",
            change=change,
        )
    operations = [restore(part.operation, account=part.account, params=part.params) for part in parts]
    for place, part in enumerate(parts):
        _check_requester(part, operations[place], earlier=operations[:place])
    with transaction.atomic():
        own = change.requested_by == actor.person_id
        _decide(change, actor=actor, decision=Decision.APPROVE, comment=comment, seen=seen_digest)
        for part in parts:
            _queue(part, actor=actor, comment=comment, own=own)


def reject(change: Change, *, actor: Viewer, comment: str) -> None:
    """Reject the whole set of the change, with a reason. Raises RefusedError."""
    comment = _comment(comment)
    _check_decider(change, actor=actor)
    if not comment:
        raise RefusedError("Write why you reject it: the person who asked reads it.")
    parts = _awaiting(change)
    with transaction.atomic():
        _decide(
            change,
            actor=actor,
            decision=Decision.REJECT,
            comment=comment,
            seen=change.change_set.receipt_digest,
        )
        for part in parts:
            if not move(part, to=ChangeState.REJECTED, actor=actor, note=comment):
                raise _too_late(part)


def _comment(comment: str) -> str:
    comment = comment.strip()
    if len(comment) > MAX_COMMENT:
        raise RefusedError(f"The comment has {len(comment)} characters; {MAX_COMMENT} are the limit.")
    return comment


def _check_decider(change: Change, *, actor: Viewer) -> None:
    """A decision is on the whole set, so it takes the right in every account of it."""
    for part in change.change_set.changes.select_related("account"):
        standing = standing_of(part, viewer=actor)
        if not standing.may_decide:
            raise RefusedError(standing.why_not, change=change)


def _check_requester(change: Change, operation: Operation, *, earlier: Sequence[Operation]) -> None:
    """Who asked may ask today: a request does not outlive the right to it."""
    person = Person.objects.filter(pk=change.requested_by).first()
    try:
        if person is not None:
            for_grant = change.change_set.is_of_grant
            check_right(operation, viewer=viewer_for(person), earlier=earlier, for_grant=for_grant)
            return
    except RefusedError:
        pass
    raise RefusedError(
        f"{change.requested_label}, who asked, may not ask for this any more. Reject it; whoever needs it asks anew.",
        change=change,
    )


def _awaiting(change: Change) -> list[Change]:
    parts = list(change.change_set.changes.select_related("account", "change_set").order_by("position"))
    now = datetime.now(tz=UTC)
    for part in parts:
        if part.state != ChangeState.AWAITING:
            raise _too_late(part)
        if part.expires_at is not None and part.expires_at <= now:
            raise RefusedError(
                f"{part.reference} waited a day for an answer and has closed. It can be asked for again.",
                change=part,
            )
    return parts


def _too_late(change: Change) -> RefusedError:
    change.refresh_from_db()
    said = change.get_state_display().lower()
    return RefusedError(f"Nothing is left to decide: {change.reference} is {said}.", change=change)


def _refresh_receipts(parts: list[Change]) -> bool:
    """Store what the receipts are now; whether one of them differs."""
    operations = [restore(part.operation, account=part.account, params=part.params) for part in parts]
    differs = _refresh_set(parts[0].change_set, operations)
    for place, part in enumerate(parts):
        check_account(part.account)
        current = examine(
            operations[place], earlier=operations[:place], for_grant=part.change_set.is_of_grant
        )
        if current.receipt.digest == part.receipt_digest:
            continue
        differs = True
        with transaction.atomic():
            held = Change.objects.filter(
                pk=part.pk, state=ChangeState.AWAITING, receipt_digest=part.receipt_digest
            )
            if held.update(receipt=current.receipt.body, receipt_digest=current.receipt.digest):
                note = "What it would do has changed since it was asked for."
                add_event(part, kind="receipt_changed", actor=None, note=note)
                write_journal(
                    part,
                    act="receipt_changed",
                    actor=None,
                    data={"was": part.receipt_digest, "receipt": current.receipt.digest},
                )
    return differs


def _refresh_set(group: ChangeSet, operations: Sequence[Operation]) -> bool:
    """Store what the set comes to now; whether that differs. One that was asked for before sets had receipts gets its first."""
    current = set_receipt_of(operations)
    if not group.receipt or current["digest"] == group.receipt["digest"]:
        return False
    group.receipt = current
    group.save(update_fields=["receipt"])
    return True


def _decide(change: Change, *, actor: Viewer, decision: Decision, comment: str, seen: str) -> None:
    Approval.objects.create(
        change_set=change.change_set,
        approver_id=actor.person_id,
        approver_label=actor.name[:128],
        decision=decision,
        comment=comment,
        receipt_digest=seen,
        is_own_request=change.requested_by == actor.person_id,
    )


def _queue(part: Change, *, actor: Viewer, comment: str, own: bool) -> None:
    """The clock starts here: an approved change that nothing begins ends by itself as well."""
    now = datetime.now(tz=UTC)
    begin = max(now, part.not_before) if part.not_before else now
    moved = move(
        part,
        to=ChangeState.QUEUED,
        actor=actor,
        kind="approved_alone" if own else "approved",
        note=comment,
        data={"receipt": part.receipt_digest, **({"single_operator": True} if own else {})},
        expecting={"receipt_digest": part.receipt_digest},
        due_at=begin,
        expires_at=begin + ANSWER_WITHIN,
    )
    if not moved:
        raise _too_late(part)
    nudge.after_commit(part, delay=(begin - now).total_seconds() if begin > now else 0)
