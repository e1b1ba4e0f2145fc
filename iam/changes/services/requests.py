"""Requests and withdraws changes, and has changes with an unknown result checked again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction

from iam import nudge
from iam.changes.approval import stages
from iam.changes.approval.people import subject_arn_of
from iam.changes.errors import RefusedError
from iam.changes.models import OF_GRANT, Change, ChangeSet, ChangeState
from iam.changes.operations import Operation
from iam.changes.planning_cache import memoized_reads
from iam.changes.receipts import set_receipt_of
from iam.changes.services.plans import MAX_CHANGES, ChangePlan, Do, membership, plan, plan_set
from iam.changes.set_context import look_ahead
from iam.changes.states import RUN_CHANGE, begin_all, end_all, move
from iam.changes.summary import SummaryBlock, summary_of
from iam.changes.titles import title_for
from iam.changes.warnings import general_warnings
from iam.guard import Right, Viewer
from iam.mirror.models import Entity

ANSWER_WITHIN = timedelta(hours=24)
"""How long an approved change can wait to begin. The approval rules define how long a request waits for a
decision.
"""
MAX_REASON = 1000


class SetCause(NamedTuple):
    """The object of a higher layer that a set is made for: a kind, such as "grant", and an id."""

    kind: str = ""
    id: UUID | None = None


NO_CAUSE: Final = SetCause()


class SetLane(NamedTuple):
    """The place of a change in its set; see Change."""

    lane: int = 0
    branch: int = 0


class WeighedRequest(NamedTuple):
    """The plans of a set, checked just now, and the receipt of the whole set."""

    plans: list[ChangePlan]
    receipt: dict[str, Any]


def examine(
    operations: Sequence[Operation],
    *,
    actor: Viewer,
    reverts: Sequence[Change | None] = (),
    for_grant: bool = False,
    most: int = MAX_CHANGES,
) -> WeighedRequest:
    """Check a set of at most `most` operations and compute its receipt. Raises RefusedError.

    This can take long, so it runs before a transaction in order not to block others.
    """
    plans = plan_set(operations, viewer=actor, reverts=reverts, for_grant=for_grant, most=most)
    return WeighedRequest(plans, set_receipt_of(operations, receipts=[plan.receipt.body for plan in plans]))


def check_request(operations: Sequence[Operation], *, actor: Viewer) -> None:
    """Check what `request_changes` checks of these operations, without writing anything. Raises RefusedError
    with the same words.

    For a request that is made later: its author sees before that it would be refused.
    """
    weighed = examine(operations, actor=actor)
    stages.check_before(
        operations,
        receipts=[plan.receipt.body for plan in weighed.plans],
        impact=weighed.receipt.get("impact", {}),
        requester=actor.person_id,
    )


def request_change(
    planned: ChangePlan,
    *,
    actor: Viewer,
    reason: str,
    idempotency_key: str,
    not_before: datetime | None = None,
    cause: SetCause = NO_CAUSE,
) -> Change:
    """Request a single change, as a set of one. See request_changes."""
    return request_changes(
        [planned],
        actor=actor,
        reason=reason,
        idempotency_key=idempotency_key,
        not_before=not_before,
        cause=cause,
    )[0]


def request_changes(
    planned: Sequence[ChangePlan] | WeighedRequest,
    *,
    actor: Viewer,
    reason: str,
    idempotency_key: str,
    not_before: datetime | None = None,
    title: str = "",
    cause: SetCause = NO_CAUSE,
    lanes: Sequence[SetLane] = (),
    notes: Sequence[str] = (),
    summary: Sequence[SummaryBlock] = (),
    most: int = MAX_CHANGES,
) -> list[Change]:
    """Request changes that are approved together and applied in this order. Raises RefusedError.

    `title` names the request, `cause` is what it is for. `lanes` say which changes are independent (empty:
    each waits for all before it). `notes` are warnings that the requester saw and approvers accept. `summary`
    says what happens where (empty: derived from the changes). `most` limits their number.

    Idempotent by person and key, also for concurrent requests. Every rule is checked again, unless `planned`
    comes from `examine`.
    """
    reason = checked_reason(reason)
    plans = planned.plans if isinstance(planned, WeighedRequest) else planned
    if not plans:
        raise RefusedError("There is nothing to request.")
    operations = [plan.operation for plan in plans]
    standing = already_requested(operations, actor=actor, idempotency_key=idempotency_key)
    if standing:
        return standing
    try:
        if isinstance(planned, WeighedRequest):
            weighed = planned
        else:
            reverts = [plan.reverts for plan in plans]
            for_grant = cause.kind == OF_GRANT
            weighed = examine(operations, actor=actor, reverts=reverts, for_grant=for_grant, most=most)
        group = ChangeSet(
            title=title_for(operations, text=title),
            receipt=weighed.receipt,
            notes=list(dict.fromkeys([*notes, *general_warnings(operations)])),
            summary=[block.body for block in summary or summary_of(operations)],
            cause_kind=cause.kind,
            cause_id=cause.id,
        )
        with transaction.atomic():
            group.save(force_insert=True)
            written = write_set(
                weighed.plans,
                group=group,
                actor=actor,
                reason=reason,
                prefix=_prefix(actor, idempotency_key),
                not_before=not_before,
                lanes=lanes,
            )
            stages.begin(group, parts=written)
            return written
    except (IntegrityError, RefusedError):
        # A concurrent request with the same key was faster; return its changes.
        standing = already_requested(operations, actor=actor, idempotency_key=idempotency_key)
        if standing:
            return standing
        raise


def checked_reason(reason: str) -> str:
    """The reason without surrounding white space. Raises RefusedError if it is empty or too long."""
    reason = reason.strip()
    if not reason:
        raise RefusedError("Enter a reason. Approvers and auditors read it.")
    if len(reason) > MAX_REASON:
        raise RefusedError(f"The reason has {len(reason):,} characters. The limit is {MAX_REASON:,}.")
    return reason


def request_membership(
    actor: Viewer, *, user: Entity, group: Entity, do: Do, reason: str, idempotency_key: str
) -> Change:
    """Plan and request a membership change; see request_operation. Raises RefusedError."""
    operation = membership(user, group=group, do=do)
    return request_operation(actor, operation=operation, reason=reason, idempotency_key=idempotency_key)


def request_operation(
    actor: Viewer, *, operation: Operation, reason: str, idempotency_key: str, cause: SetCause = NO_CAUSE
) -> Change:
    """Plan and request an operation. Raises RefusedError.

    Idempotent by key: a repeated request returns the same change, even if it could no longer be planned.
    """
    standing = already_requested([operation], actor=actor, idempotency_key=idempotency_key)
    if standing:
        return standing[0]
    try:
        planned = plan(operation, viewer=actor)
    except RefusedError:
        standing = already_requested([operation], actor=actor, idempotency_key=idempotency_key)
        if standing:
            return standing[0]
        raise
    return request_change(planned, actor=actor, reason=reason, idempotency_key=idempotency_key, cause=cause)


def _prefix(actor: Viewer, idempotency_key: str) -> str:
    return f"{actor.person_id}:{idempotency_key[:64]}"


def already_requested(
    operations: Sequence[Operation], *, actor: Viewer, idempotency_key: str
) -> list[Change]:
    """The changes that this person already requested with this key; empty if none. Raises RefusedError if
    their content differs.
    """
    prefix = _prefix(actor, idempotency_key)
    keys = [f"{prefix}:{position}" for position in range(len(operations))]
    changes = list(Change.objects.filter(idempotency_key__in=keys).order_by("position"))
    if not changes:
        return []
    same = len(changes) == len(operations) and all(
        (change.operation, change.params, change.account_id)
        == (operation.slug, operation.params, operation.account.pk)
        for change, operation in zip(changes, operations, strict=True)
    )
    if not same:
        raise RefusedError(
            "This form was already submitted with other content. Open it again.", change=changes[0]
        )
    return changes


def write_set(
    planned: Sequence[ChangePlan],
    *,
    group: ChangeSet,
    actor: Viewer,
    reason: str,
    prefix: str,
    not_before: datetime | None,
    lanes: Sequence[SetLane],
) -> list[Change]:
    """Create the waiting changes of a set, in the caller's transaction and a few statements."""
    asked = {
        "requested_by": actor.person_id,
        "requested_label": actor.name[:128],
        "reason": reason,
        "not_before": not_before,
    }
    with memoized_reads():
        look_ahead([plan.operation for plan in planned])
        written = [
            Change(
                change_set=group,
                position=position,
                idempotency_key=f"{prefix}:{position}",
                **(lanes[position] if lanes else SetLane())._asdict(),
                **asked,
                **_columns(plan),
            )
            for position, plan in enumerate(planned)
        ]
    begin_all(
        written,
        actor=actor,
        note=reason,
        data=[
            {"receipt": plan.receipt.digest, "reverts": plan.reverts.id if plan.reverts else None}
            for plan in planned
        ],
        expires_at=datetime.now(tz=UTC) + ANSWER_WITHIN,
    )
    return written


def _columns(planned: ChangePlan) -> dict[str, Any]:
    """The columns of a change that come from its operation."""
    operation, subject = planned.operation, planned.operation.subject()
    return {
        "operation": operation.slug,
        "title": operation.title,
        "account": operation.account,
        "entity": subject,
        "subject_kind": operation.subject_kind,
        "subject_id": operation.subject_id,
        "subject_arn": subject_arn_of(operation),
        "params": operation.params,
        "before": planned.before,
        "after": operation.desired_state(),
        "receipt": planned.receipt.body,
        "receipt_digest": planned.receipt.digest,
        "calls": planned.receipt.body["calls"],
        "reverts": planned.reverts,
    }


def withdraw(change: Change, *, actor: Viewer) -> None:
    """Withdraw a request with its whole set, as its requester and before a worker has begun. Raises
    RefusedError.
    """
    if change.requested_by != actor.person_id or not actor.roles:
        raise RefusedError("Only the requester can withdraw a request.")
    with transaction.atomic():
        # The lock makes a concurrent approval happen before or after this, not in between.
        ChangeSet.objects.select_for_update().get(pk=change.change_set_id)
        left = change.change_set.changes.filter(state__in=[ChangeState.AWAITING, ChangeState.QUEUED])
        parts = list(left.prefetch_related("account", "change_set").order_by("position"))
        taken = end_all(parts, to=ChangeState.CANCELLED, actor=actor, kind="withdrawn")
    if not taken:
        change.refresh_from_db()
        raise RefusedError(
            f"It’s too late to withdraw {change.reference}: it is {change.get_state_display().lower()}.",
            change=change,
        )


def look_again(change: Change, *, actor: Viewer) -> None:
    """Have a worker read AWS again for a change with an unknown result. Raises RefusedError."""
    number = change.account.account_id
    rights = (Right.REQUEST_CHANGE, Right.APPROVE_CHANGE)
    if not any(actor.may(right, account_id=number) for right in rights):
        raise RefusedError("You can view this change, but you can’t refresh it.")
    if change.state != ChangeState.UNKNOWN:
        raise RefusedError("The outcome of this change is already known.", change=change)
    try:
        with transaction.atomic():
            moved = move(
                change,
                to=ChangeState.CONFIRMING,
                actor=actor,
                kind="looked_again",
                reads=0,
                due_at=datetime.now(tz=UTC),
            )
            if moved:
                nudge.send_after_commit(RUN_CHANGE, change.pk)
    except IntegrityError:
        raise RefusedError(
            "Another change to the same resource is in progress. Wait until it is done."
        ) from None
