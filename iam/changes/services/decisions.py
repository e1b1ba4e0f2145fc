"""Approves or rejects requests: never one's own, and never with an outdated receipt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from iam import nudge
from iam.changes import notifications
from iam.changes.approval import ends, stages
from iam.changes.approval.needs import kept_requirement, parts_of, requirement_of
from iam.changes.approval.progress import ApprovalProgress, progress_of
from iam.changes.errors import ReceiptChangedError, RefusedError
from iam.changes.models import LAST_BRANCH, Approval, Change, ChangeSet, ChangeState, Decision
from iam.changes.operations import Operation, restore
from iam.changes.planning_cache import memoized_reads
from iam.changes.receipts import Receipt, set_receipt_of
from iam.changes.services.plans import check_account, check_right, examine
from iam.changes.services.requester_scope import with_reach_of
from iam.changes.services.requests import ANSWER_WITHIN
from iam.changes.set_context import look_ahead, one_after_the_other
from iam.changes.states import RUN_CHANGE, add_event, end_all, move, move_all, write_journal
from iam.directory.models import Person
from iam.guard import Viewer, viewer_for
from iam.journal.services import Actor

MAX_COMMENT = 1000


@dataclass(frozen=True, slots=True)
class DecisionRights:
    """What a viewer can do about a waiting set: decide its stage, or why not.

    `is_own` marks one's own request in single-operator mode, which the page points out. `may_reject`: people
    who can decide any stage can reject at every stage. `is_concerned`: the set is or was theirs to decide,
    now or at another stage.
    """

    may_decide: bool
    why_not: str = ""
    is_own: bool = False
    may_reject: bool = False
    is_concerned: bool = False
    has_agreed: bool = False


def standing_of(
    change: Change, *, viewer: Viewer, progress: ApprovalProgress | None = None
) -> DecisionRights:
    """The viewer's rights to decide on the set of this change. A set that is not waiting can't be decided."""
    if change.state != ChangeState.AWAITING:
        return DecisionRights(may_decide=False, why_not=_is_over(change))
    known = progress or current_progress(change)
    own = change.requested_by == viewer.person_id
    if own and not settings.SINGLE_OPERATOR:
        return DecisionRights(
            may_decide=False, why_not="You requested this, so someone else decides.", is_own=True
        )
    return _viewer_standing(known, viewer, own=own)


def _viewer_standing(progress: ApprovalProgress, viewer: Viewer, *, own: bool) -> DecisionRights:
    me, stage = viewer.person_id, progress.stage_of(viewer.person_id)
    if progress.has_agreed(me):
        why = "You have already approved this. Someone else decides next."
        return DecisionRights(False, why, own, may_reject=True, is_concerned=True, has_agreed=True)
    if me in progress.about:
        return DecisionRights(False, "This is about your own AWS user, so someone else decides.", own)
    if stage is None:
        why = "You can’t approve this: the approval rules name other people."
        concerned = progress.stands_in_any(me)
        return DecisionRights(False, why, own, may_reject=concerned, is_concerned=concerned)
    if stage != progress.at:
        why = f"You can approve stage {stage + 1}, after stage {progress.at + 1}."
        return DecisionRights(False, why, own, may_reject=True, is_concerned=True)
    return DecisionRights(True, "", own, may_reject=True, is_concerned=True)


def current_progress(change: Change) -> ApprovalProgress:
    """The approval progress of a change's set."""
    parts = parts_of(change.change_set)
    return progress_of(requirement_of(change.change_set, parts=parts), parts=parts)


def approve(change: Change, *, actor: Viewer, seen_digest: str, comment: str = "") -> None:
    """Approve the whole set of a change, and queue it if this was the last missing approval.

    `seen_digest` is the set's digest that the approver saw. Every receipt is recomputed from the mirror. If
    one differs, the new one is stored, earlier approvals become void, and ReceiptChangedError asks the
    approver to look again. Raises RefusedError, and then approves nothing.
    """
    comment = _comment(comment)
    _check_decider(change, actor=actor)
    parts = waiting_parts(change)
    if refresh_receipts(parts) or change.change_set.receipt_digest != seen_digest:
        raise ReceiptChangedError(
            "What this does has changed since you opened the page. Review the new receipt, then decide "
            "again.",
            change=change,
        )
    check_request(parts)
    with transaction.atomic():
        _agree(change, actor=actor, comment=comment, seen=seen_digest)


def _agree(change: Change, *, actor: Viewer, comment: str, seen: str) -> None:
    """Store the approval with the set locked, so that of two concurrent approvals the second sees
    the first.
    """
    group = ChangeSet.objects.select_for_update().get(pk=change.change_set_id)
    parts = waiting_parts(change)
    progress = _check_decider(parts[0], actor=actor)
    if group.receipt_digest != seen:
        raise ReceiptChangedError(
            "What this does has just changed. Review the new receipt, then decide again.", change=change
        )
    own = change.requested_by == actor.person_id
    requirement = kept_requirement(group)
    if requirement.digest != seen:
        # The receipt was changed by code that does not compute receipts, so earlier approvals were for
        # something else.
        stages.start_anew(group)
        requirement = kept_requirement(group)
        progress = _check_decider(parts[0], actor=actor)
    _decide(change, actor=actor, decision=Decision.APPROVE, comment=comment, seen=seen, stage=progress.at)
    progress = stages.go_on(requirement, parts=parts)
    if not progress.is_complete:
        _note_stage(parts[0], progress, actor=actor, comment=comment)
        return
    kind, data = ("approved_alone", {"single_operator": True}) if own else ("approved", {})
    queue_all(parts, actor=actor, kind=kind, note=comment, data=data)
    notifications.tell_decided(parts[0])


def _note_stage(first: Change, progress: ApprovalProgress, *, actor: Viewer, comment: str) -> None:
    """Record a passed stage in the timeline and journal of the first change, which represents the set until
    it is decided.
    """
    add_event(first, kind="agreed", actor=actor, note=comment)
    write_journal(
        first,
        act="agreed",
        actor=actor,
        note=comment,
        data={"stage": progress.at + 1, "stages": len(progress.stages), "receipt": first.receipt_digest},
    )


def reject(change: Change, *, actor: Viewer, comment: str) -> None:
    """Reject the whole set of a change with a reason, as someone who can decide one of its stages. Raises
    RefusedError.
    """
    comment = _comment(comment)
    if change.state != ChangeState.AWAITING:
        raise _too_late(change)
    standing = standing_of(change, viewer=actor)
    if not standing.may_reject:
        raise RefusedError(standing.why_not, change=change)
    if not comment:
        raise RefusedError("Write why you reject it. The requester reads it.")
    with transaction.atomic():
        ChangeSet.objects.select_for_update().get(pk=change.change_set_id)
        parts = waiting_parts(change)
        _decide(
            change,
            actor=actor,
            decision=Decision.REJECT,
            comment=comment,
            seen=change.change_set.receipt_digest,
            stage=current_progress(change).at,
        )
        if end_all(parts, to=ChangeState.REJECTED, actor=actor, note=comment) < len(parts):
            raise _too_late(next(part for part in parts if part.state != ChangeState.REJECTED))


def _comment(comment: str) -> str:
    comment = comment.strip()
    if len(comment) > MAX_COMMENT:
        raise RefusedError(f"The comment has {len(comment):,} characters. The limit is {MAX_COMMENT:,}.")
    return comment


def _check_decider(change: Change, *, actor: Viewer) -> ApprovalProgress:
    """Check the right to decide in every account of the set, because a decision covers all of it."""
    if change.state != ChangeState.AWAITING:
        raise _too_late(change)
    progress = current_progress(change)
    standing = standing_of(change, viewer=actor, progress=progress)
    if not standing.may_decide:
        raise RefusedError(standing.why_not, change=change)
    return progress


def check_request(parts: Sequence[Change]) -> None:
    """Check that the requester can still request all of this today. Raises RefusedError."""
    operations = [restore(part.operation, account=part.account, params=part.params) for part in parts]
    asker = _asker(parts[0])
    with memoized_reads():
        for part, (operation, earlier) in zip(parts, one_after_the_other(operations), strict=True):
            _check_requester(part, operation, asker=asker, earlier=earlier)


def _asker(first: Change) -> Viewer | None:
    """The requester of a set, with their rights of today."""
    person = Person.objects.filter(pk=first.requested_by).first()
    return with_reach_of(viewer_for(person), first.change_set) if person else None


def _check_requester(
    change: Change, operation: Operation, *, asker: Viewer | None, earlier: Sequence[Operation]
) -> None:
    """Check that the requester still has the right to make the request."""
    try:
        if asker is not None:
            for_grant = change.change_set.is_of_grant
            check_right(operation, viewer=asker, earlier=earlier, for_grant=for_grant)
            return
    except RefusedError:
        pass
    raise RefusedError(
        f"{change.requested_label} can no longer request this. Reject it. Someone who is allowed to can "
        "request it again.",
        change=change,
    )


def waiting_parts(change: Change) -> list[Change]:
    """The changes of a set that waits as a whole. Raises RefusedError if it is decided or closed."""
    parts = parts_of(change.change_set)
    now = datetime.now(tz=UTC)
    for part in parts:
        if part.state != ChangeState.AWAITING:
            raise _too_late(part)
        if part.expires_at is not None and part.expires_at <= now:
            raise RefusedError(
                f"{part.reference} has expired because no one answered in time. You can submit it again.",
                change=part,
            )
    return parts


def _too_late(change: Change) -> RefusedError:
    """The refusal of a decision about a set that is over, with who decided it."""
    change.refresh_from_db()
    last = Approval.objects.filter(change_set=change.change_set_id).order_by("id").last()
    words = _is_over(change)
    if last is not None:
        did = "approved" if last.decision == Decision.APPROVE else "rejected"
        words = f"{words} {last.approver_label} {did} it."
    return RefusedError(words, change=change)


def _is_over(change: Change) -> str:
    return f"There is nothing left to decide: {change.reference} is {change.get_state_display().lower()}."


def refresh_receipts(parts: list[Change]) -> bool:
    """Store the current receipts. Returns True if one of them, or that of the whole set, has changed."""
    operations = [restore(part.operation, account=part.account, params=part.params) for part in parts]
    group = parts[0].change_set
    whole = set_receipt_of(operations, with_replay=False)
    for part in parts:
        check_account(part.account)
    with memoized_reads():
        look_ahead(operations)
        current = [
            examine(operation, earlier=earlier, for_grant=group.may_be_so_already).receipt
            for operation, earlier in one_after_the_other(operations)
        ]
    # Sets older than set receipts don't get their first one here.
    is_other = bool(group.receipt) and whole["digest"] != group.receipt["digest"]
    differing = [
        (part, now) for part, now in zip(parts, current, strict=True) if now.digest != part.receipt_digest
    ]
    if not is_other and not differing:
        return False
    if is_other:
        whole = set_receipt_of(operations)
    with transaction.atomic():
        # If two viewers refresh at once, one of them writes; an approval of what the first has written stays
        # valid.
        locked_group = ChangeSet.objects.select_for_update().get(pk=group.pk)
        waiting_parts(parts[0])
        if locked_group.receipt.get("digest") != group.receipt.get("digest"):
            group.receipt = locked_group.receipt
            return True
        if is_other:
            group.receipt = whole
            group.save(update_fields=["receipt"])
        kept = [_keep_receipt(part, now) for part, now in differing]
        if is_other or any(kept):
            stages.start_anew(group)
    return True


def _keep_receipt(part: Change, receipt: Receipt) -> bool:
    was = part.receipt_digest
    same_receipt = Change.objects.filter(pk=part.pk, state=ChangeState.AWAITING, receipt_digest=was)
    if not same_receipt.update(receipt=receipt.body, receipt_digest=receipt.digest):
        return False
    note = "What it does has changed since it was requested."
    add_event(part, kind="receipt_changed", actor=None, note=note)
    write_journal(part, act="receipt_changed", actor=None, data={"was": was, "receipt": receipt.digest})
    return True


def _decide(
    change: Change, *, actor: Viewer, decision: Decision, comment: str, seen: str, stage: int
) -> None:
    Approval.objects.create(
        change_set=change.change_set,
        approver_id=actor.person_id,
        approver_label=actor.name[:128],
        decision=decision,
        comment=comment,
        receipt_digest=seen,
        stage=stage,
        is_own_request=change.requested_by == actor.person_id,
    )


def queue_all(
    parts: Sequence[Change],
    *,
    actor: Actor | None,
    kind: str,
    note: str,
    data: dict[str, Any] | None = None,
) -> None:
    """Queue a whole set, in the caller's transaction. Raises RefusedError if a part no longer waits."""
    now = datetime.now(tz=UTC)
    begins = {max(now, part.not_before or now) for part in parts}
    if len(begins) > 1 or ends.has_clock(parts[0].change_set):
        for part in parts:
            queue(part, actor=actor, kind=kind, note=note, data=data)
        return
    begin = begins.pop()
    moved = move_all(
        parts,
        to=ChangeState.QUEUED,
        actor=actor,
        kind=kind,
        note=note,
        data=[{"receipt": part.receipt_digest, **(data or {})} for part in parts],
        due_at=begin,
        expires_at=begin + ANSWER_WITHIN,
    )
    if not moved:
        raise _too_late(parts[0])
    delay = (begin - now).total_seconds() if begin > now else 0
    for part in _firsts(parts):
        nudge.send_after_commit(RUN_CHANGE, part.pk, delay=delay)


def _firsts(parts: Sequence[Change]) -> list[Change]:
    """The changes that wait for no others. The end of each starts those behind it."""
    firsts, seen = [], set[tuple[int, int]]()
    for part in parts:
        own, trunk = (part.lane, part.branch), (part.lane, 0)
        is_last = part.branch == LAST_BRANCH and any(lane == part.lane for lane, _ in seen)
        if own not in seen and trunk not in seen and not is_last:
            firsts.append(part)
        seen.add(own)
    return firsts


def queue(
    part: Change, *, actor: Actor | None, kind: str, note: str, data: dict[str, Any] | None = None
) -> None:
    """Queue a change and start its clock: the end date is set, and an unstarted change expires.

    Raises RefusedError if it no longer waits.
    """
    now = datetime.now(tz=UTC)
    begin = max(now, part.not_before) if part.not_before else now
    moved = move(
        part,
        to=ChangeState.QUEUED,
        actor=actor,
        kind=kind,
        note=note,
        data={"receipt": part.receipt_digest, **(data or {})},
        expecting={"receipt_digest": part.receipt_digest},
        due_at=begin,
        expires_at=begin + ANSWER_WITHIN,
        **ends.started(part, at=begin),
    )
    if not moved:
        raise _too_late(part)
    delay = (begin - now).total_seconds() if begin > now else 0
    nudge.send_after_commit(RUN_CHANGE, part.pk, delay=delay)
