"""Records decisions on rows of a review: keep, revoke or reduce, with a reason.

Decisions can be undone until changes are requested. No one decides on their own access. Of two concurrent
decisions, the first counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import F

from iam.access.own_principals import own_arns
from iam.audit.reviews.models import ReviewCampaign, ReviewDecision, ReviewItem
from iam.audit.reviews.reviewer_counts import NOBODY, note_decisions
from iam.changes.errors import RefusedError
from iam.guard import Right, Viewer
from iam.journal.models import Entry
from iam.journal.services import entry, record_all
from iam.people.runs.models import RunState

MAX_REASON: Final = 1000
MAX_AT_ONCE: Final = 500
UNDECIDED: Final = {
    "decision": "",
    "decision_reason": "",
    "decided_by": None,
    "decided_name": "",
    "decided_at": None,
    "trouble": "",
}
DECISIONS: Final = (ReviewDecision.KEEP, ReviewDecision.REVOKE, ReviewDecision.REDUCE)


@dataclass(frozen=True, slots=True)
class DecisionConflict:
    """A row that someone else decided in the meantime."""

    row: ReviewItem

    @property
    def words(self) -> str:
        """Return who decided what, in words."""
        if not self.row.decision:
            return f"{self.row.title}: the decision was undone meanwhile."
        label = ReviewDecision(self.row.decision).label.lower()
        return f"{self.row.title}: {self.row.decided_name} decided “{label}” first."


@dataclass(slots=True)
class DecisionResult:
    """The decided rows, conflicts, and reasons for refused rows.

    `change` is the change in the number of decided rows, `by_reviewer` the same by reviewer.
    """

    decided: list[ReviewItem] = field(default_factory=list)
    conflicts: list[DecisionConflict] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    change: int = 0
    by_reviewer: Counter[str] = field(default_factory=Counter)


def may_decide(viewer: Viewer, row: ReviewItem) -> bool:
    """True if the viewer can decide on a row: its reviewer and the owner of the campaign, but not on their
    own access.
    """
    return not why_not_decide(viewer, row)


def why_not_decide(viewer: Viewer, row: ReviewItem) -> str:
    """Return why the viewer can't decide; "" if they can."""
    if is_own(viewer, row):
        return "You can’t decide about your own access."
    if viewer.person_id not in (row.reviewer_id, row.campaign.owner_id):
        return "Only its reviewer can decide about this access."
    return ""


def is_own(viewer: Viewer, row: ReviewItem) -> bool:
    """True if it is the viewer's own access by any evidence."""
    return row.person_id == viewer.person_id or bool(own_arns(viewer.person_id, [row.entity]))


def decide(
    campaign: ReviewCampaign,
    versions: Mapping[int, int],
    decision: str,
    *,
    reason: str,
    actor: Viewer,
    now: datetime,
) -> DecisionResult:
    """Decide on rows, each in the version that the actor saw; "" undoes a decision. Raises RefusedError if no
    row can be decided.
    """
    reason = reason.strip()
    if not actor.may(Right.REQUEST_CHANGE):
        raise RefusedError("Only administrators, approvers and team leads decide in reviews.")
    _check(campaign, versions, decision, reason)
    result = DecisionResult()
    with transaction.atomic():
        locked = ReviewCampaign.objects.select_for_update().get(pk=campaign.pk)
        if locked.state != RunState.RUNNING:
            raise RefusedError("This review isn’t open any longer, so nothing was changed.")
        rows = list(
            ReviewItem.objects.filter(campaign=campaign, pk__in=versions).select_related("entity", "account")
        )
        allowed = _allowed(locked, rows, actor, result)
        for row in allowed:
            _decide_one(row, versions[row.pk], decision, reason, actor, now, result)
        ReviewCampaign.objects.filter(pk=locked.pk).update(decided=F("decided") + result.change)
        note_decisions(locked, result.by_reviewer)
        record_all(
            [
                decision_entry(locked, row, decision=decision, reason=reason, actor=actor)
                for row in result.decided
            ]
        )
    return result


def _check(campaign: ReviewCampaign, versions: Mapping[int, int], decision: str, reason: str) -> None:
    if decision and decision not in DECISIONS:
        raise RefusedError("Choose keep, revoke or reduce.")
    if not versions:
        raise RefusedError("Select at least one access.")
    if len(versions) > MAX_AT_ONCE:
        raise RefusedError(f"Select at most {MAX_AT_ONCE:,} at once.")
    if len(reason) > MAX_REASON:
        raise RefusedError(f"The reason has {len(reason):,} characters. The limit is {MAX_REASON:,}.")
    if not reason and decision and (len(versions) > 1 or decision != ReviewDecision.KEEP):
        raise RefusedError("Give a reason. Approvers and auditors read it.")


def _allowed(
    campaign: ReviewCampaign, rows: Sequence[ReviewItem], actor: Viewer, result: DecisionResult
) -> list[ReviewItem]:
    """The rows that the actor can decide on, with a fixed number of queries."""
    allowed = []
    own = own_arns(actor.person_id, [row.entity for row in rows])
    own |= {row.entity.arn for row in rows if row.person_id == actor.person_id}
    for row in rows:
        row.campaign = campaign
        if row.entity.arn in own:
            result.refused.append(f"{row.title}: you can’t decide about your own access.")
        elif actor.person_id not in (row.reviewer_id, campaign.owner_id):
            result.refused.append(f"{row.title}: only its reviewer can decide.")
        elif row.is_requested:
            result.refused.append(f"{row.title}: a change was requested already. Withdraw it first.")
        else:
            allowed.append(row)
    return allowed


def _decide_one(
    row: ReviewItem,
    version: int,
    decision: str,
    reason: str,
    actor: Viewer,
    now: datetime,
    result: DecisionResult,
) -> None:
    """Decide on one row if it is unchanged since the actor saw it."""
    values: dict[str, Any] = dict(UNDECIDED)
    if decision:
        values |= {"decision": decision, "decision_reason": reason, "decided_at": now}
        values |= {"decided_by": actor.person_id, "decided_name": actor.name[:128]}
    same = ReviewItem.objects.filter(pk=row.pk, version=version, is_requested=False)
    if same.update(**values, version=F("version") + 1):
        change = bool(decision) - bool(row.decision)
        result.change += change
        result.by_reviewer[row.reviewer_name or NOBODY] += change
        for name, value in values.items():
            setattr(row, name, value)
        row.version = version + 1
        result.decided.append(row)
    else:
        row.refresh_from_db(fields=["decision", "decided_name", "decided_at", "version", "is_requested"])
        result.conflicts.append(DecisionConflict(row))


def decision_entry(
    campaign: ReviewCampaign, row: ReviewItem, *, decision: str, reason: str, actor: Viewer | None
) -> Entry:
    """The journal entry of a decision, or (decision "") of an undone one."""
    kind = "review.decide" if decision else "review.undo"
    return entry(
        kind=kind,
        actor=actor,
        subject=row.entity.arn,
        account_id=row.account.account_id,
        data={
            "review": campaign.reference,
            "row": row.pk,
            "access": row.target,
            "sort": row.sort,
            "decision": decision,
            "reason": reason,
        },
    )
