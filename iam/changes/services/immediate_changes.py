"""Applies urgent changes without prior approval: the suspension of a person, and its end. Suspensions are
reviewed later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain

from django.db import transaction

from iam.changes import notifications
from iam.changes.approval.models import BreakGlass, Requirement
from iam.changes.approval.people import people_of
from iam.changes.approval.reminders import REVIEW_AFTER
from iam.changes.approval.rules import REVIEWERS
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeSet
from iam.changes.operations import Operation
from iam.changes.planning_cache import memoized_reads
from iam.changes.receipts import set_receipt_of
from iam.changes.services.decisions import queue_all
from iam.changes.services.plans import ChangePlan, check_account, check_right, examine
from iam.changes.services.requests import SetCause, SetLane, WeighedRequest, already_requested, write_set
from iam.changes.set_context import look_ahead, one_after_the_other
from iam.changes.summary import summary_of
from iam.guard import Viewer


def weigh_at_once(
    operations: Sequence[Operation], *, actor: Viewer, reverts: Sequence[Change | None] = ()
) -> WeighedRequest:
    """Check operations as for a request, but ignore open requests for the same. Raises RefusedError."""
    reverted = [*reverts, *([None] * (len(operations) - len(reverts)))]
    plans: list[ChangePlan] = []
    with memoized_reads():
        look_ahead(operations)
        for change, (operation, earlier) in zip(reverted, one_after_the_other(operations), strict=True):
            check_account(operation.account)
            check_right(operation, viewer=actor, earlier=earlier)
            plans.append(replace(examine(operation, earlier=earlier), reverts=change))
    return WeighedRequest(plans, set_receipt_of(operations, receipts=[plan.receipt.body for plan in plans]))


def queue_at_once(
    weighed: WeighedRequest,
    *,
    actor: Viewer,
    reason: str,
    title: str,
    cause: SetCause,
    key: str,
    because: str,
    lanes: Sequence[SetLane] = (),
    notes: Sequence[str] = (),
    is_reviewed: bool = True,
) -> list[Change]:
    """Queue operations of the actor without approval; `because` names the rule that allows it.

    With `is_reviewed`, everyone who could have approved is notified and somebody else must review it, as
    after break-glass. Idempotent by person and key. Raises RefusedError, and then queues nothing.
    """
    operations = [plan.operation for plan in weighed.plans]
    standing = already_requested(operations, actor=actor, idempotency_key=key)
    if standing:
        return standing
    with transaction.atomic():
        group = ChangeSet.objects.create(
            title=title[:512],
            receipt=weighed.receipt,
            notes=list(notes),
            summary=[block.body for block in summary_of(operations)],
            cause_kind=cause.kind,
            cause_id=cause.id,
        )
        written = write_set(
            weighed.plans,
            group=group,
            actor=actor,
            reason=reason,
            prefix=f"{actor.person_id}:{key[:64]}",
            not_before=None,
            lanes=lanes,
        )
        Requirement.objects.create(
            change_set=group, digest=group.receipt_digest, stages=[], because=[because], wait_hours=0
        )
        kind, data = "accepted", {"rule": because, "break_glass": is_reviewed}
        if is_reviewed:
            kind = "broke_glass"
            _have_reviewed(group, written, actor=actor, reason=reason)
        queue_all(written, actor=actor, kind=kind, note=reason, data=data)
    return written


def keep_for_review(group: ChangeSet, *, actor: Viewer, reason: str) -> None:
    """Store who applied a set without approval and why; somebody else is reminded to review it."""
    BreakGlass.objects.create(
        change_set=group,
        used_by=actor.person_id,
        used_label=actor.name[:128],
        reason=reason,
        remind_at=datetime.now(tz=UTC) + REVIEW_AFTER,
    )


def _have_reviewed(group: ChangeSet, written: Sequence[Change], *, actor: Viewer, reason: str) -> None:
    """Store who did it and why, and notify the reviewers."""
    if not reason.strip():
        raise RefusedError("Write a reason. The reviewer and the auditor read it.")
    keep_for_review(group, actor=actor, reason=reason)
    numbers = {change.account.account_id for change in written}
    people = set(chain.from_iterable(people_of(REVIEWERS, accounts={number}) for number in numbers))
    notifications.tell_broken_glass(written[0], people=people - {actor.person_id}, by=actor.name)
