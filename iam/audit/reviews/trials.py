"""Runs trial revocations: revoked access is restored by one click, or if its principal is denied what it
allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from django.db import transaction

from iam.activity.models import TrailEvent
from iam.activity.queries import callers_of
from iam.audit.reviews.access_texts import AccessTexts, PolicyBook
from iam.audit.reviews.decisions import is_own
from iam.audit.reviews.models import OF_REVIEW, ReviewCampaign, ReviewChange, ReviewItem, ReviewTrial
from iam.audit.reviews.notices import tell_person
from iam.audit.reviews.terms import ReviewTerms
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.operations import Operation, restore
from iam.changes.services import SetCause
from iam.changes.services.accepted_changes import queue_accepted
from iam.guard import Right, Viewer
from iam.journal.services import record
from iam.moments import moment_words

logger = structlog.get_logger(__name__)
LATE: Final = timedelta(days=1)
"""The time after the end of a trial in which earlier events can still arrive."""
MOST_EVENTS: Final = 500


def begin_trials(change: Change) -> None:
    """Begin the trial of a row once all its changes are applied. Idempotent."""
    if change.state != ChangeState.APPLIED or change.change_set.cause_kind != OF_REVIEW:
        return
    for link in ReviewChange.objects.filter(change=change, is_return=False).select_related("row__campaign"):
        begin_trial(link.row)


def begin_trial(row: ReviewItem) -> None:
    """Begin the trial of a row, if its campaign has trials and all its changes are applied."""
    days = ReviewTerms.from_json(row.campaign.terms).trial_days
    changes = [link.change for link in row.changes.filter(is_return=False).select_related("change")]
    if not days or not changes or any(change.state != ChangeState.APPLIED for change in changes):
        return
    if all(change.already_so for change in changes):
        return
    began = max(change.ended_at or datetime.now(tz=UTC) for change in changes)
    until = began + timedelta(days=days)
    ReviewTrial.objects.get_or_create(row=row, defaults={"began_at": began, "until": until})


def begin_missed() -> int:
    """Begin trials for which the end of the change was missed. Returns the number of rows checked."""
    applied = ReviewChange.objects.filter(
        is_return=False,
        change__state=ChangeState.APPLIED,
        row__trial__isnull=True,
        change__ended_at__gt=datetime.now(tz=UTC) - timedelta(days=2),
    )
    rows = ReviewItem.objects.filter(pk__in=applied.values("row")).select_related("campaign")[:200]
    for row in rows:
        begin_trial(row)
    return len(rows)


def why_not_give_back(viewer: Viewer, row: ReviewItem) -> str:
    """Return why the viewer can't restore the access of a row; "" if they can."""
    trial = ReviewTrial.objects.filter(row=row).first()
    if trial is None:
        return "This access isn’t on trial."
    if trial.returned_at is not None:
        return "This access was given back already."
    if trial.until < datetime.now(tz=UTC):
        return "The trial is over. Request the access again."
    if is_own(viewer, row):
        return "You can’t decide about your own access."
    is_administrator = viewer.may(Right.MANAGE_OPERATORS, account_id=row.account.account_id)
    if (
        viewer.person_id not in (row.reviewer_id, row.campaign.owner_id, row.decided_by)
        and not is_administrator
    ):
        return "Only its reviewer or an administrator can give this access back."
    return ""


def give_back(row: ReviewItem, *, actor: Viewer | None, denied: str = "") -> None:
    """Queue the restoration of the access, covered by the approval of its revocation. Raises RefusedError.

    `actor` None is Gatehouse, after denied calls.
    """
    if actor is not None and (why := why_not_give_back(actor, row)):
        raise RefusedError(why)
    links = list(row.changes.filter(is_return=False).select_related("change__change_set", "change__account"))
    operations = list(_inverses(link.change for link in links))
    now = datetime.now(tz=UTC)
    with transaction.atomic():
        waiting = ReviewTrial.objects.filter(row=row, returned_at__isnull=True)
        name = actor.name if actor else "Gatehouse"
        if not waiting.update(returned_at=now, returned_name=name[:128], denied=denied[:300], trouble=""):
            raise RefusedError("This access was given back already.")
        changes = queue_accepted(
            operations,
            with_set=links[0].change.change_set,
            actor=actor,
            reason=f"Trial of {row.campaign.reference}: {denied or 'given back by hand'}"[:1000],
            title=f"Give {row.target_name} back to {row.subject}",
            cause=SetCause(OF_REVIEW, row.campaign_id),
            key=f"review-return-{row.pk}",
        )
        returns = [ReviewChange(row=row, change=change, is_return=True) for change in changes]
        ReviewChange.objects.bulk_create(returns)
        record(
            kind="review.give_back",
            actor=actor,
            subject=row.entity.arn,
            account_id=row.account.account_id,
            data={"review": row.campaign.reference, "access": row.target, "denied": denied},
        )
        _tell(row.campaign, row, denied)


def _inverses(changes: Iterable[Change]) -> Iterable[Operation]:
    """The operations that undo the changes, last one first. Raises RefusedError."""
    applied = [change for change in changes if change.state == ChangeState.APPLIED and not change.already_so]
    if not applied:
        raise RefusedError("Nothing was removed in AWS, so there is nothing to give back.")
    for change in sorted(applied, key=lambda each: each.position, reverse=True):
        operation = restore(change.operation, account=change.account, params=change.params)
        inverse = operation.inverse(change.before)
        if inverse is None:
            raise RefusedError(operation.irreversible or "AWS can’t undo this.")
        yield inverse


def _tell(campaign: ReviewCampaign, row: ReviewItem, denied: str) -> None:
    subject = f"{row.who} gets {row.target_name} back"
    text = f"It was denied: {denied}" if denied else "Someone gave it back by hand."
    for person_id in dict.fromkeys((campaign.owner_id, row.decided_by)):
        tell_person(campaign, person_id, subject=subject, text=text, key=f"return:{row.pk}")


def check_trials(*, now: datetime) -> int:
    """Restore the access of principals that were denied what it allowed. Returns their number."""
    open_trials = ReviewTrial.objects.filter(returned_at__isnull=True, until__gt=now - LATE)
    returned = 0
    for trial in open_trials.select_related(
        "row__entity", "row__account", "row__access", "row__campaign"
    ).order_by("pk"):
        denied = denied_call(trial)
        if not denied:
            continue
        try:
            give_back(trial.row, actor=None, denied=denied)
            returned += 1
        except RefusedError as refused:
            ReviewTrial.objects.filter(pk=trial.pk).update(trouble=refused.message[:500])
            logger.warning("reviews.not_given_back", row=trial.row_id, why=refused.message)
    open_trials.update(checked_at=now)
    return returned


def denied_call(trial: ReviewTrial) -> str:
    """Return the first call denied during a trial that the access allowed; "" if there is none."""
    row = trial.row
    events = TrailEvent.objects.filter(
        caller__in=callers_of(row.entity), is_denied=True, at__gt=trial.began_at, at__lte=trial.until
    ).order_by("at")
    access = AccessTexts({str(number): text for number, text in enumerate(row.access.texts)})
    book = PolicyBook()
    for at, service, action in events.values_list("at", "service", "action")[:MOST_EVENTS]:
        if book.allows(access, f"{service}:{action}"):
            return f"{service}:{action} at {moment_words(at)}"
    return ""
