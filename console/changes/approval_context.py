"""Context of the approval of a set: stages, approvals given, possible approvers, and the viewer's options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.operators.recency import is_recent
from console.web.access import ViewerRequest
from iam.changes import services
from iam.changes.approval import ends
from iam.changes.approval.models import Requirement
from iam.changes.approval.needs import parts_of, requirement_of
from iam.changes.approval.possible_approvers import who_could_approve, why_nobody
from iam.changes.approval.progress import ApprovalProgress, progress_of
from iam.changes.approval.rule_names import names_in
from iam.changes.approval.rule_texts import sentence, stage_words
from iam.changes.models import Change, ChangeState
from iam.changes.services import ChangePlan
from iam.changes.services.break_glass_use import glass_of
from iam.changes.warnings import AcceptedWarning, general_warnings

NAMED = 5


@dataclass(frozen=True, slots=True)
class GivenApproval:
    """An approval: who gave it, when, and with what comment."""

    name: str
    at: datetime
    comment: str


@dataclass(frozen=True, slots=True)
class StageRow:
    """A stage: its approvers in words, the approvals given, and the names of people who can still approve."""

    number: int
    words: str
    is_done: bool
    is_current: bool
    agreed: list[GivenApproval]
    missing: int
    able: list[str]
    more: int


def deciding_context(request: ViewerRequest, shown: Change) -> dict[str, Any]:
    """Return the context of `_stages.html`, `_decision.html`, `_comment.html` and `_glass.html`.

    Stages are included only while a decision is pending.
    """
    viewer, now = request.viewer, request.at is None
    context: dict[str, Any] = {
        "glass": None if shown.state == ChangeState.AWAITING else _glass(request, shown)
    }
    if shown.state != ChangeState.AWAITING:
        return context | {"standing": services.standing_of(shown, viewer=viewer), "decides": False}
    parts = parts_of(shown.change_set)
    requirement = requirement_of(shown.change_set, parts=parts)
    progress = progress_of(requirement, parts=parts)
    standing = services.standing_of(shown, viewer=viewer, progress=progress)
    return context | _stages(requirement, progress) | {
        "standing": standing,
        "decides": now and standing.may_decide,
        "may_reject": now and standing.may_reject,
        "is_recent": is_recent(request),
        "seen_receipt": shown.change_set.receipt_digest,
        "may_comment": now and services.may_comment(shown, viewer=viewer),
        "nobody": why_nobody(requirement, progress, parts=parts),
        "breaks_glass": now and services.may_break_glass(shown, viewer=viewer),
        "shortens": now
        and ends.has_clock(shown.change_set)
        and not ends.has_own_end(shown.change_set)
        and (standing.may_decide or shown.requested_by == viewer.person_id),
        "closes": ends.closes_at(shown),
        "call_count": sum(len(part.calls) for part in parts),
    }  # fmt: skip


def _glass(request: ViewerRequest, shown: Change) -> dict[str, Any] | None:
    """Return the use of break-glass, and whether the viewer can review it."""
    glass = glass_of(shown.change_set_id)
    if glass is None:
        return None
    why_not = services.why_not_review(glass, viewer=request.viewer)
    return {"row": glass, "reviews": request.at is None and not why_not, "why_not": why_not}


def _stages(requirement: Requirement, progress: ApprovalProgress) -> dict[str, Any]:
    names = names_in(requirement.need)
    rows = [
        StageRow(
            number=place + 1,
            words=stage_words(stage.stage, names=names),
            is_done=stage.is_done,
            is_current=place == progress.at,
            agreed=[
                GivenApproval(approval.approver_label, approval.at, approval.comment)
                for approval in stage.approvals
            ],
            missing=stage.missing,
            able=list(stage.able.values())[:NAMED],
            more=len(list(stage.able)[NAMED:]),
        )
        for place, stage in enumerate(progress.stages)
    ]
    return {
        "stages": rows,
        "stage_notes": requirement.notes,
        "rule_names": requirement.because,
        "void": [approval.approver_label for approval in progress.void],
        "need_words": sentence(requirement.need, names=names),
        "escalated_at": requirement.escalated_at,
    }


def need_context(
    request: ViewerRequest, plans: Sequence[ChangePlan], *, together: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the context of `_approvers.html` before a request is made: its rules, the stages, and the
    approvers.

    `together` is the receipt of the set, if it was calculated: rules can depend on the risks in it.
    """
    if not plans:
        return {}
    approvers = who_could_approve(
        [plan.operation for plan in plans],
        receipts=[plan.receipt.body for plan in plans],
        impact=(together or {}).get("impact", {}),
        requester=request.viewer.person_id,
    )
    need = approvers.need
    return {
        "need_words": sentence(need, names=names_in(need)),
        "need_people": need.people,
        "rule_names": need.because,
        "stage_notes": need.notes,
        "approvers": list(approvers.people.values()),
        "nobody": approvers.problem,
        "accepted": _warnings_before(plans),
    }


def _warnings_before(plans: Sequence[ChangePlan]) -> list[AcceptedWarning]:
    """Return the general warnings for requests of this kind; the receipt beside them has the rest."""
    return [AcceptedWarning(text) for text in general_warnings([plan.operation for plan in plans])]
