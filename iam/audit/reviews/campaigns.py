"""Starts, opens, cancels and repeats access reviews, and reassigns their rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from iam.access.own_principals import own_arns
from iam.audit.reviews.models import ReviewCampaign, ReviewItem
from iam.audit.reviews.notices import tell_assigned, tell_opened
from iam.audit.reviews.reviewer_counts import forget_counts
from iam.audit.reviews.reviewers import can_review, people_who_review
from iam.audit.reviews.roster import write_rows
from iam.audit.reviews.terms import InvalidCampaignError, ReviewTerms, check
from iam.batches import batches
from iam.changes.errors import FieldChecks, RefusedError
from iam.directory.models import Person
from iam.guard import Right, Viewer
from iam.journal.services import record
from iam.mirror.models import Entity
from iam.people.runs.drafts import lock_draft
from iam.people.runs.models import RunState, requester
from iam.people.runs.requests import RunKind

OPEN_TASK: Final = "iam.audit.reviews.tasks.open_review"
MAX_NAME: Final = 120
MAX_REASON: Final = 1000
MAX_DUE: Final = timedelta(days=366)
GIVEN: Final = ("pk", "entity_id", "person_id")
"""The columns of a row that are needed to reassign it."""


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """The content of the form for a campaign. The person who starts it becomes its owner."""

    name: str
    reason: str
    terms: ReviewTerms
    due_at: datetime
    reviewer_id: UUID
    second_reviewer_id: UUID


def may_start(viewer: Viewer, terms: ReviewTerms) -> bool:
    """True if the viewer can start a review: people who see all its accounts whole and can request changes in
    them.
    """
    for number in terms.accounts or ("",):
        sees = viewer.scope.sees_account(number) if number else viewer.scope.sees_everything
        if not sees or not viewer.may(Right.REQUEST_CHANGE, account_id=number):
            return False
    return True


def may_manage(viewer: Viewer, campaign: ReviewCampaign) -> bool:
    """True if the viewer can cancel a review or choose other reviewers: the person who started it, and
    administrators of all its accounts.
    """
    terms = ReviewTerms.from_json(campaign.terms)
    is_administrator = viewer.may(Right.MANAGE_OPERATORS) and may_start(viewer, terms)
    return may_start(viewer, terms) and (viewer.person_id == campaign.owner_id or is_administrator)


def start(draft: CampaignDraft, *, actor: Viewer, now: datetime) -> ReviewCampaign:
    """Save a draft. Raises InvalidCampaignError."""
    _check(draft, actor, now)
    campaign: ReviewCampaign = ReviewCampaign.objects.create(
        **requester(actor),
        name=draft.name,
        reason=draft.reason,
        terms=draft.terms.to_json(),
        owner_id=actor.person_id,
        reviewer_id=draft.reviewer_id,
        second_reviewer_id=draft.second_reviewer_id,
        due_at=draft.due_at,
    )
    return campaign


def _check(draft: CampaignDraft, actor: Viewer, now: datetime) -> None:
    """Raise InvalidCampaignError with all that is wrong."""
    checks = FieldChecks()
    if not draft.name.strip() or len(draft.name) > MAX_NAME:
        checks.add("name", f"Enter a name of at most {MAX_NAME} characters.")
    if not draft.reason.strip() or len(draft.reason) > MAX_REASON:
        checks.add("reason", "Give a reason. Reviewers and auditors see it.")
    if not now < draft.due_at <= now + MAX_DUE:
        checks.add("due", "Choose a day within the next year.")
    if draft.reviewer_id == draft.second_reviewer_id:
        checks.add(
            "second_reviewer", "Choose someone else. The second reviewer reviews the first one’s own access."
        )
    for field, person_id in (
        ("reviewer", draft.reviewer_id),
        ("second_reviewer", draft.second_reviewer_id),
    ):
        if not can_review(person_id):
            checks.add(field, "Choose an administrator, approver or team lead.")
    try:
        check(draft.terms)
    except InvalidCampaignError as error:
        checks.add(error.field, error.message)
    if not may_start(actor, draft.terms):
        checks.add("accounts", "You can’t review all of these accounts.")
    if checks.errors:
        field, message = next(iter(checks.errors.items()))
        refused = InvalidCampaignError(message, field=field)
        refused.errors = checks.errors
        raise refused


def open_campaign(campaign: ReviewCampaign, *, actor: Viewer, by_worker: bool = True) -> ReviewCampaign:
    """Submit a draft, so that its rows are written. Reviewers are notified afterwards. Raises
    RefusedError.
    """
    with transaction.atomic():
        locked = lock_draft(actor, campaign)
        locked.begin_submission(locked.reason)
        locked.save(update_fields=["state", "reason", "trouble", "asked_at"])
    return REVIEW.submit(locked, by_worker=by_worker)


def _opened(campaign: ReviewCampaign) -> None:
    """Notify the reviewers once the rows exist. A review without rows is closed instead."""
    campaign.refresh_from_db()
    rows: int = campaign.facts.get("rows", 0)
    if not rows:
        note = "There is nothing to review in its scope, so no one was asked."
        ended = {"state": RunState.CLOSED, "trouble": note, "ended_at": datetime.now(tz=UTC)}
        ReviewCampaign.objects.filter(pk=campaign.pk).update(**ended)
    terms = ReviewTerms.from_json(campaign.terms)
    next_at = None
    if terms.months and campaign.opened_at:
        next_at = months_later(campaign.opened_at, terms.months)
    ReviewCampaign.objects.filter(pk=campaign.pk).update(next_at=next_at)
    record(
        kind="review.open",
        actor=None,
        subject=campaign.reference,
        data={"review": campaign.pk, "name": campaign.name, **campaign.facts},
    )
    if rows:
        tell_opened(campaign)


REVIEW: Final = RunKind(
    model=ReviewCampaign,
    task=OPEN_TASK,
    requested=RunState.RUNNING,
    request_rows=write_rows,
    is_requested=lambda campaign: ReviewCampaign.objects.filter(pk=campaign.pk, is_complete=True).exists(),
    record_request=_opened,
)


def cancel(campaign: ReviewCampaign, *, reason: str, actor: Viewer) -> None:
    """End a review without a result. Raises RefusedError."""
    if not may_manage(actor, campaign):
        raise RefusedError("Only the person who started this review, or an administrator, can cancel it.")
    if not reason.strip():
        raise RefusedError("Give a reason.")
    with transaction.atomic():
        running = ReviewCampaign.objects.filter(
            pk=campaign.pk, state__in=(RunState.SUBMITTING, RunState.RUNNING, RunState.WAITING)
        )
        values = {"state": RunState.CLOSED, "next_at": None, "ended_at": datetime.now(tz=UTC)}
        if not running.update(**values, trouble=f"Cancelled by {actor.name}: {reason.strip()}"[:1024]):
            raise RefusedError("This review has ended already.")
        record(kind="review.cancel", actor=actor, subject=campaign.reference, data={"reason": reason.strip()})


def assign(
    campaign: ReviewCampaign, rows: QuerySet[ReviewItem], *, to: UUID, actor: Viewer, reason: str
) -> tuple[int, int]:
    """Reassign undecided rows to another reviewer. Returns how many were reassigned and how many were not.
    Raises RefusedError.

    Rows about that person or the actor are not reassigned, because no one may choose who reviews their own
    access. Reviewers can reassign their own rows, managers of the campaign any.
    """
    person = Person.objects.filter(pk=to, is_active=True).first()
    if person is None or not can_review(to):
        raise RefusedError("Choose an administrator, approver or team lead.")
    if not reason.strip():
        raise RefusedError("Give a reason. The new reviewer and auditors see it.")
    own = rows if may_manage(actor, campaign) else rows.filter(reviewer_id=actor.person_id)
    chosen = list(own.filter(campaign=campaign, decision="").only(*GIVEN))
    others = _not_about(actor.person_id, chosen)
    assigned, left = _give(campaign, others, person)
    if not assigned:
        why = "There is nothing to assign."
        if left:
            why = f"{person.name} can’t review their own access."
        elif chosen:
            why = "You can’t choose who reviews your own access."
        raise RefusedError(why)
    with transaction.atomic():
        record(
            kind="review.assign",
            actor=actor,
            subject=campaign.reference,
            data={"to": person.name, "rows": assigned, "reason": reason.strip()},
        )
        tell_assigned(campaign, person, by=actor.name, rows=assigned, reason=reason.strip())
    return assigned, left + len(chosen) - len(others)


def _not_about(person_id: UUID, rows: Sequence[ReviewItem]) -> list[ReviewItem]:
    """The rows that don't concern a person's own access."""
    entities = Entity.objects.in_bulk({row.entity_id for row in rows})
    own = own_arns(person_id, list(entities.values()))
    return [row for row in rows if row.person_id != person_id and entities[row.entity_id].arn not in own]


def _give(campaign: ReviewCampaign, chosen: Sequence[ReviewItem], person: Person) -> tuple[int, int]:
    """Set the reviewer of the rows that don't concern that person. Returns how many were set and how many
    were not.
    """
    pks = [row.pk for row in _not_about(person.pk, chosen)]
    assigned = 0
    for batch in batches(pks, 500):
        undecided = ReviewItem.objects.filter(pk__in=batch, decision="", campaign__state=RunState.RUNNING)
        assigned += undecided.update(reviewer_id=person.pk, reviewer_name=person.name)
    forget_counts(campaign)
    return assigned, len(chosen) - len(pks)


def escalate_rows(campaign: ReviewCampaign) -> int:
    """Reassign undecided rows to the second reviewer, and rows about the second reviewer to the first.
    Returns their number.
    """
    able = people_who_review((campaign.second_reviewer_id, campaign.reviewer_id))
    by_id = Person.objects.in_bulk(able)
    assigned = 0
    for person_id in (campaign.second_reviewer_id, campaign.reviewer_id):
        person = by_id.get(person_id)
        if person is None:
            continue
        rows = campaign.rows.filter(decision="").exclude(reviewer_id__in=_ids(by_id, campaign))
        number, _ = _give(campaign, list(rows.only(*GIVEN)), person)
        if number:
            tell_assigned(campaign, person, by="Gatehouse", rows=number, reason="The review is overdue.")
        assigned += number
    return assigned


def _ids(people: Collection[UUID], campaign: ReviewCampaign) -> list[UUID]:
    return [pk for pk in people if pk == campaign.second_reviewer_id]


def begin_next(campaign: ReviewCampaign, *, now: datetime) -> ReviewCampaign | None:
    """Start the next review of a series in the name of the person who started it.

    None if another process was faster or that person has left. If they can no longer review, a reviewer
    becomes its owner.
    """
    owner = Person.objects.filter(pk=campaign.owner_id, is_active=True).first()
    with transaction.atomic():
        if not ReviewCampaign.objects.filter(pk=campaign.pk, next_at=campaign.next_at).update(next_at=None):
            return None
        if owner is None:
            record(
                kind="review.not_repeated",
                actor=None,
                subject=campaign.reference,
                data={"why": "Its owner has left."},
            )
            return None
        length = campaign.due_at - (campaign.opened_at or campaign.created_at)
        following: ReviewCampaign = ReviewCampaign.objects.create(
            requested_by=campaign.requested_by,
            requested_label=campaign.requested_label,
            name=campaign.name,
            reason=campaign.reason,
            terms=campaign.terms,
            owner_id=_next_owner(campaign),
            reviewer_id=campaign.reviewer_id,
            second_reviewer_id=campaign.second_reviewer_id,
            due_at=now + max(length, timedelta(days=7)),
            series=campaign.series,
            state=RunState.SUBMITTING,
            asked_at=now,
        )
    return REVIEW.submit(following, by_worker=True)


def _next_owner(campaign: ReviewCampaign) -> UUID:
    people = (campaign.owner_id, campaign.reviewer_id, campaign.second_reviewer_id)
    able = people_who_review(people)
    return next((person_id for person_id in people if person_id in able), campaign.owner_id)


def months_later(moment: datetime, months: int) -> datetime:
    """Return the same day this many months later, or the last day of a shorter month."""
    index = moment.month - 1 + months
    year, month = moment.year + index // 12, index % 12 + 1
    for day in (moment.day, 30, 29, 28):
        try:
            return moment.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    raise ValueError(f"No month is shorter than 28 days: {moment}")
