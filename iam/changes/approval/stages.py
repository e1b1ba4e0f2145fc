"""Moves a waiting set through its stages, restarts it when its receipt changes, and voids approvals of people
who lost the right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any
from uuid import UUID

from iam.changes import notifications
from iam.changes.approval.models import Requirement
from iam.changes.approval.needs import (
    kept_requirement,
    open_for,
    parts_of,
    renew,
    requirement_of,
    set_ballots,
)
from iam.changes.approval.possible_approvers import (
    NoApproverError,
    require_still_possible,
    who_could_approve,
)
from iam.changes.approval.progress import ApprovalProgress, progress_of
from iam.changes.models import Approval, Change, ChangeSet, ChangeState, Decision
from iam.changes.operations import Operation
from iam.changes.states import note_by_gatehouse
from iam.directory.models import Person
from iam.phrases import joined


def begin(change_set: ChangeSet, *, parts: Sequence[Change]) -> None:
    """Store the approvals that a new set needs and notify the first approvers, in the caller's transaction.

    Raises NoApproverError if no one could approve it; the caller's transaction is then rolled back.
    """
    requirement = open_for(change_set, parts=parts)
    progress = progress_of(requirement, parts=parts)
    require_still_possible(requirement, progress, parts=parts)
    _notify_again(parts[0], progress)


def check_before(
    operations: Sequence[Operation],
    *,
    receipts: Sequence[Mapping[str, Any]],
    impact: Mapping[str, Any],
    requester: UUID,
) -> None:
    """Raises NoApproverError if `begin` would refuse these operations as a set. Writes nothing."""
    approvers = who_could_approve(operations, receipts=receipts, impact=impact, requester=requester)
    if not approvers.is_possible:
        raise NoApproverError(approvers)


def _notify_again(first: Change, progress: ApprovalProgress) -> None:
    """Notify approvers of a stage that waits again because approvals were voided."""
    if progress.current is not None:
        turn = f"{progress.at}.{len(progress.void)}"
        notifications.tell_waiting(first, people=progress.current.able.keys(), turn=turn)


def go_on(requirement: Requirement, *, parts: Sequence[Change]) -> ApprovalProgress:
    """Store the waiting stage and who can decide it, in the caller's transaction."""
    progress = progress_of(requirement, parts=parts)
    if progress.at != requirement.stage:
        requirement.stage = progress.at
        requirement.save(update_fields=["stage"])
        set_ballots(requirement)
        _notify_again(parts[0], progress)
    return progress


def start_anew(change_set: ChangeSet) -> None:
    """Restart approval after the receipt changed: earlier approvals were for another receipt. The timeline
    records it.
    """
    parts = parts_of(change_set)
    before = progress_of(requirement_of(change_set), parts=parts)
    approvals = chain.from_iterable(stage.approvals for stage in before.stages)
    counted = [approval.approver_label for approval in approvals]
    renewed = renew(change_set, parts=parts)
    if counted:
        note = f"What this changes was recalculated, so the approval of {joined(counted)} no longer counts."
        note_by_gatehouse(parts[0], kind="approvals_void", note=note)
        _notify_again(parts[0], progress_of(renewed, parts=parts))


def after_rights_reduced(person: Person) -> None:
    """Void approvals of a person who can no longer approve, so that the stage waits again."""
    sets = Approval.objects.filter(approver_id=person.pk, decision=Decision.APPROVE).values("change_set")
    waiting = Change.objects.filter(change_set__in=sets, state=ChangeState.AWAITING, position=0)
    for first in waiting.select_related("account", "change_set"):
        requirement = kept_requirement(first.change_set)
        was = requirement.stage
        progress = go_on(requirement, parts=parts_of(first.change_set))
        if progress.at < was or any(approval.approver_id == person.pk for approval in progress.void):
            note = f"{person.name} can no longer approve, so their approval no longer counts."
            note_by_gatehouse(first, kind="approvals_void", note=note)
