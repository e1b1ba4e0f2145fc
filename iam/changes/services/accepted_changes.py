"""Queues changes that were approved together with another set, such as the end of a grant."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeSet
from iam.changes.operations import Operation
from iam.changes.planning_cache import memoized_reads
from iam.changes.receipts import set_receipt_of
from iam.changes.services.decisions import queue_all
from iam.changes.services.plans import ChangePlan, check_account, examine
from iam.changes.services.requests import SetCause, SetLane, write_set
from iam.changes.set_context import look_ahead, one_after_the_other
from iam.changes.summary import summary_of
from iam.changes.titles import title_for
from iam.guard import Viewer
from iam.journal.services import Actor


def queue_accepted(
    operations: Sequence[Operation],
    *,
    with_set: ChangeSet,
    actor: Actor | None,
    reason: str,
    title: str,
    cause: SetCause,
    key: str,
    lanes: Sequence[SetLane] = (),
    for_grant: bool = False,
) -> list[Change]:
    """Queue operations without another approval. Raises RefusedError, and then queues nothing.

    `with_set` is the approved set that covered them; they get its requester. `actor` starts them (None:
    Gatehouse). `key` is unique to them. Each operation is checked against the current mirror.
    """
    first = with_set.changes.order_by("position").first()
    if first is None or first.queued_at is None:
        raise RefusedError("What this belongs to was never approved.")
    planned: list[ChangePlan] = []
    with memoized_reads():
        look_ahead(operations)
        for operation, earlier in one_after_the_other(operations):
            check_account(operation.account)
            planned.append(examine(operation, earlier=earlier, for_grant=for_grant))
    asker = Viewer(person_id=first.requested_by, name=first.requested_label, email="")
    with transaction.atomic():
        group = ChangeSet.objects.create(
            title=title_for(operations, text=title),
            receipt=set_receipt_of(operations),
            summary=[block.body for block in summary_of(operations)],
            cause_kind=cause.kind,
            cause_id=cause.id,
        )
        written = write_set(
            planned, group=group, actor=asker, reason=reason, prefix=key, not_before=None, lanes=lanes
        )
        note = f"Accepted with {first.reference}."
        queue_all(written, actor=actor, kind="accepted", note=note, data={"accepted_with": with_set.pk})
    return written
