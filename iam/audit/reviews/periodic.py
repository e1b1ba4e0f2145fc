"""Runs the scheduled steps of reviews: reminders, overdue actions, the next review of a series, and ended
changes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog
from django.core.cache import cache
from django.db import transaction
from django.db.models import F

from iam.audit.reviews.campaigns import REVIEW, begin_next, escalate_rows
from iam.audit.reviews.decisions import decision_entry
from iam.audit.reviews.models import (
    OF_REVIEW,
    OverdueAction,
    ReviewCampaign,
    ReviewChange,
    ReviewDecision,
    ReviewItem,
)
from iam.audit.reviews.notices import remind, tell_person
from iam.audit.reviews.removals import request_changes_of
from iam.audit.reviews.replays import fill_replays
from iam.audit.reviews.reviewer_counts import forget_counts
from iam.audit.reviews.terms import REMIND_DAYS, ReviewTerms
from iam.audit.reviews.trials import begin_missed, begin_trials, check_trials
from iam.changes.models import OPEN, Change, ChangeState
from iam.directory.models import Person
from iam.guard import viewer_for
from iam.journal.services import record, record_all
from iam.people.runs.drafts import delete_old_drafts
from iam.people.runs.models import RunState

logger = structlog.get_logger(__name__)
OVERDUE_REASON: Final = "No one decided until the due date."
BATCH: Final = 500
REMINDED_SECONDS: Final = 24 * 3600


def run_due(*, now: datetime) -> int:
    """Run everything that is due. Returns how much it was."""
    count = REVIEW.resume() + delete_old_drafts(ReviewCampaign)
    for campaign in ReviewCampaign.objects.filter(next_at__lte=now):
        count += begin_next(campaign, now=now) is not None
    running = ReviewCampaign.objects.filter(state=RunState.RUNNING)
    for campaign in running.filter(due_at__lte=now + timedelta(days=REMIND_DAYS)).order_by("due_at"):
        if campaign.due_at <= now and campaign.overdue_at is None:
            count += _overdue(campaign, now)
        # The outbox notifies each person once a day. The cache saves counting the waiting rows every minute.
        if cache.add(f"review-reminded:{campaign.pk}:{now:%Y%m%d}", True, REMINDED_SECONDS):
            count += remind(campaign, now=now)
    return count + begin_missed() + check_trials(now=now) + fill_replays()


def _overdue(campaign: ReviewCampaign, now: datetime) -> int:
    """Handle an overdue review, once."""
    waiting = ReviewCampaign.objects.filter(pk=campaign.pk, state=RunState.RUNNING, overdue_at__isnull=True)
    if not waiting.update(overdue_at=now):
        return 0
    action = ReviewTerms.from_json(campaign.terms).overdue
    left = campaign.rows.filter(decision="").count()
    record(
        kind="review.overdue",
        actor=None,
        subject=campaign.reference,
        data={"action": action, "undecided": left},
    )
    if not left:
        return 1
    items = "1 of its access items is" if left == 1 else f"{left:,} of its access items are"
    tell_person(
        campaign,
        campaign.owner_id,
        subject=f"{campaign.name} is overdue",
        text=f"{items} not decided. Setting: {OverdueAction(action).label.lower()}.",
        key="overdue",
    )
    if action == OverdueAction.ESCALATE:
        escalate_rows(campaign)
    if action == OverdueAction.REVOKE:
        revoke_undecided(campaign, now=now)
    return 1


def revoke_undecided(campaign: ReviewCampaign, *, now: datetime) -> int:
    """Decide to revoke all undecided rows, and request the changes in the name of the review's owner. Returns
    how many were decided.
    """
    revoked = 0
    while rows := list(
        campaign.rows.filter(decision="").select_related("entity", "account").order_by("pk")[:BATCH]
    ):
        with transaction.atomic():
            open_rows = ReviewItem.objects.filter(
                pk__in=[row.pk for row in rows], decision="", campaign__state=RunState.RUNNING
            )
            number = open_rows.update(
                decision=ReviewDecision.REVOKE,
                decision_reason=OVERDUE_REASON,
                decided_name="Gatehouse",
                decided_at=now,
                version=F("version") + 1,
            )
            if not number:
                break
            revoked += number
            ReviewCampaign.objects.filter(pk=campaign.pk).update(decided=F("decided") + number)
            forget_counts(campaign)
            entries = []
            for row in rows:
                entries.append(
                    decision_entry(campaign, row, decision="revoke", reason=OVERDUE_REASON, actor=None)
                )
            record_all(entries)
    owner = Person.objects.filter(pk=campaign.owner_id, is_active=True).first()
    if owner is None:
        logger.warning("reviews.overdue_without_owner", review=str(campaign.pk))
        return revoked
    request_changes_of(campaign, actor=viewer_for(owner), own_only=False)
    return revoked


def follow_change(change: Change) -> None:
    """Follow an ended change: begin a trial, or allow another decision on a failed row. Idempotent."""
    if change.change_set.cause_kind != OF_REVIEW:
        return
    begin_trials(change)
    if change.state in (ChangeState.APPLIED, *OPEN):
        return
    for link in ReviewChange.objects.filter(change=change, is_return=False).select_related("row"):
        states = set(link.row.changes.filter(is_return=False).values_list("change__state", flat=True))
        if states & {*OPEN, ChangeState.APPLIED}:
            continue
        words = f"{change.reference} {change.get_state_display().lower()}. {change.error_message}"
        running = ReviewItem.objects.filter(pk=link.row_id, campaign__state=RunState.RUNNING)
        running.update(is_requested=False, trouble=words.strip()[:500])
