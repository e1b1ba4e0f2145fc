"""Requests the changes for decisions, which revoke or reduce access, together for many rows, with
approval.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Count, QuerySet, UUIDField

from iam.access.least_privilege import ReductionError, reduced_texts
from iam.audit.reviews.models import (
    OF_REVIEW,
    AccessSort,
    ReviewCampaign,
    ReviewChange,
    ReviewDecision,
    ReviewItem,
)
from iam.audit.reviews.terms import UNUSED_DAYS, ReviewTerms
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.changes.operations.attachment import DETACH_POLICY, Attachment
from iam.changes.operations.inline_policy import DeleteInlinePolicy, PutInlinePolicy
from iam.changes.services import SetCause, SetLane, plan_set
from iam.changes.services.plans import membership
from iam.compiled_queries import CompiledQuery
from iam.guard import Viewer
from iam.journal.services import record
from iam.mirror.models import Entity
from iam.people.runs.models import RunState
from iam.people.runs.requests import batches, request_operations
from iam.phrases import counted
from iam.prepared_statements import QueryParam

SET_SIZE: Final = 200
"""The maximum number of rows per request, so that an approver can still check each."""
PREFIX: Final = "reviewed-"
REMOVING: Final = (ReviewDecision.REVOKE.value, ReviewDecision.REDUCE.value)


@dataclass(slots=True)
class RemovalRequests:
    """The requested changes, the number of rows with a request, and the number of rows that could not be
    requested.
    """

    changes: list[Change] = field(default_factory=list)
    rows: int = 0
    refused: int = 0


def pending(campaign: ReviewCampaign) -> QuerySet[ReviewItem]:
    """Return the rows with a decision for which no change is requested yet."""
    return campaign.rows.filter(decision__in=REMOVING, is_requested=False)


def pending_of(campaign: ReviewCampaign, person_id: UUID) -> int:
    """Return the number of pending rows that a person decided."""
    return sum(number for (number,) in _PENDING.rows(campaign=campaign.pk, person=person_id))


def _counts_of_deciders() -> QuerySet[Any, Any]:
    rows = ReviewItem.objects.filter(
        campaign=QueryParam("campaign", UUIDField()), decided_by=QueryParam("person", UUIDField())
    )
    rows = rows.filter(decision__in=REMOVING, is_requested=False)
    return rows.values("campaign").annotate(number=Count("pk")).values_list("number")


_PENDING: Final = CompiledQuery(_counts_of_deciders)


def operations_of(row: ReviewItem) -> list[Operation]:
    """Return the operations for a decision, in order. Raises RefusedError."""
    holder = row.entity
    if holder.gone_at is not None:
        raise RefusedError(f"{row.subject} no longer exists in AWS, so there is nothing to remove.")
    if row.decision == ReviewDecision.REDUCE:
        return _reducing(row, holder)
    return [_removing(row, holder)]


def _removing(row: ReviewItem, holder: Entity) -> Operation:
    if row.sort == AccessSort.INLINE:
        return DeleteInlinePolicy.of(holder, policy_name=row.target)
    if row.target_entity is None:
        raise RefusedError(f"{row.target_name} is no longer known.")
    if row.sort == AccessSort.MEMBER:
        return membership(holder, group=row.target_entity, do="remove")
    return Attachment.of(DETACH_POLICY, holder, policy=row.target_entity)


def _reducing(row: ReviewItem, holder: Entity) -> list[Operation]:
    """Return operations that create an inline policy with what was used, then remove the access that it
    replaces.
    """
    try:
        text = reduced_texts(holder, row.access.texts, days=UNUSED_DAYS)
    except ReductionError as error:
        raise RefusedError(str(error)) from None
    if not text:
        return [_removing(row, holder)]
    if row.sort == AccessSort.INLINE:
        return [PutInlinePolicy.of(holder, name=row.target, text=text)]
    name = f"{PREFIX}{row.target_name}"[:128]
    return [PutInlinePolicy.of(holder, name=name, text=text), _removing(row, holder)]


def request_changes_of(campaign: ReviewCampaign, *, actor: Viewer, own_only: bool = True) -> RemovalRequests:
    """Request the changes for decisions of the actor or (`own_only` False) of everyone.

    Rows that can't be requested keep their decision and get a reason. Calling it again requests the rest.
    """
    rows = pending(campaign)
    if own_only:
        rows = rows.filter(decided_by=actor.person_id)
    chosen = list(
        rows.select_related("entity__account", "target_entity__account", "access", "account").order_by(
            "account_id", "entity_id", "pk"
        )
    )
    done = RemovalRequests()
    for batch in batches(chosen, size=lambda _: 1, most=SET_SIZE):
        _request_batch(campaign, batch, actor, done)
    return done


def _request_batch(
    campaign: ReviewCampaign, rows: Sequence[ReviewItem], actor: Viewer, done: RemovalRequests
) -> None:
    planned: list[tuple[ReviewItem, list[Operation]]] = []
    for row in rows:
        try:
            planned.append((row, operations_of(row)))
        except RefusedError as refused:
            _refuse(row, refused.message, done)
    try:
        _request_set(campaign, planned, actor, done)
    except RefusedError as of_set:
        # If one row can't be requested, find out which.
        left = []
        for row, operations in planned:
            try:
                plan_set(operations, viewer=actor)
                left.append((row, operations))
            except RefusedError as refused:
                _refuse(row, refused.message, done)
        try:
            if len(left) == len(planned):
                raise of_set
            _request_set(campaign, left, actor, done)
        except RefusedError as refused:
            for row, _ in left:
                _refuse(row, refused.message, done)


def _refuse(row: ReviewItem, why: str, done: RemovalRequests) -> None:
    ReviewItem.objects.filter(pk=row.pk, is_requested=False).update(trouble=why[:500])
    done.refused += 1


def _request_set(
    campaign: ReviewCampaign,
    planned: Sequence[tuple[ReviewItem, list[Operation]]],
    actor: Viewer,
    done: RemovalRequests,
) -> None:
    """Request one set and link its changes to rows, in one transaction. Raises RefusedError."""
    if not planned:
        return
    operations = list(chain.from_iterable(of_row for _, of_row in planned))
    with transaction.atomic():
        ReviewCampaign.objects.select_for_update().get(pk=campaign.pk)
        versions = {row.pk: row.version for row, _ in planned}
        current = ReviewItem.objects.filter(
            pk__in=versions, is_requested=False, campaign__state=RunState.RUNNING
        ).values_list("pk", "version")
        if dict(current) != versions:
            raise RefusedError("Someone changed these decisions meanwhile. Reload the page and try again.")
        changes = request_operations(
            operations,
            actor=actor,
            reason=_reason(campaign, [row for row, _ in planned]),
            idempotency_key=_key(campaign, versions),
            title=f"{campaign.name}: {_counted([row for row, _ in planned])}",
            cause=SetCause(OF_REVIEW, campaign.pk),
            lanes=_lanes(planned),
            notes=_notes(campaign),
        )
        links, position = [], 0
        for row, of_row in planned:
            for change in changes[position : position + len(of_row)]:
                links.append(ReviewChange(row=row, change=change))
            position += len(of_row)
        ReviewChange.objects.bulk_create(links, ignore_conflicts=True)
        ReviewItem.objects.filter(pk__in=versions).update(is_requested=True, trouble="")
        record(
            kind="review.request",
            actor=actor,
            subject=campaign.reference,
            data={"rows": len(planned), "request": changes[0].reference, "at": datetime.now(tz=UTC)},
        )
    done.changes += changes
    done.rows += len(planned)


def _counted(rows: Sequence[ReviewItem]) -> str:
    """Return what is requested, such as "remove 2 access items and reduce 1"."""
    reduced = sum(row.decision == ReviewDecision.REDUCE for row in rows)
    removed = len(rows) - reduced
    if not removed:
        return f"reduce {counted(reduced, 'access item')}"
    removes = f"remove {counted(removed, 'access item')}"
    return f"{removes} and reduce {reduced:,}" if reduced else removes


def _key(campaign: ReviewCampaign, versions: dict[int, int]) -> str:
    digest = hashlib.blake2b(repr(sorted(versions.items())).encode(), digest_size=8).hexdigest()
    return f"review-{campaign.pk.hex}-{digest}"


def _reason(campaign: ReviewCampaign, rows: Sequence[ReviewItem]) -> str:
    """Return the name of the review, and as many reasons of decisions as fit."""
    reasons = "; ".join(dict.fromkeys(row.decision_reason for row in rows if row.decision_reason))
    text = f"Access review {campaign.reference}, {campaign.name}: {reasons}"
    return text if len(text) <= 900 else f"{text[:899]}…"


def _notes(campaign: ReviewCampaign) -> list[str]:
    """The notes that approvers accept."""
    days = ReviewTerms.from_json(campaign.terms).trial_days
    if not days:
        return []
    span = "1 day" if days == 1 else f"{days} days"
    return [
        f"Trial revocation: within {span}, the access is given back with one click, or automatically "
        "when calls that it allowed are denied."
    ]


def _lanes(planned: Sequence[tuple[ReviewItem, list[Operation]]]) -> list[SetLane]:
    """Return a lane per user or role and a branch per row, so that a failure stops nothing else."""
    lanes: dict[int, int] = {}
    branches: dict[int, int] = {}
    places = []
    for row, operations in planned:
        lane = lanes.setdefault(row.entity_id, len(lanes))
        branches[lane] = branches.get(lane, 0) + 1
        places += [SetLane(lane, branches[lane])] * len(operations)
    return places
