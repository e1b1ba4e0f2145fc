"""Reminds approvers of unanswered requests, escalates them, and reminds reviewers of break-glass uses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction

from iam.changes import notifications
from iam.changes.approval.models import BreakGlass, Requirement
from iam.changes.approval.needs import kept_requirement, parts_of, set_ballots
from iam.changes.approval.people import people_of
from iam.changes.approval.progress import progress_of
from iam.changes.approval.rules import REVIEWERS
from iam.changes.models import Change, ChangeSet, ChangeState
from iam.changes.states import note_by_gatehouse
from iam.notify.events import NotifyEvent

BATCH = 200
PREVIEW_NAMES = 8
REVIEW_AFTER, REVIEW_EVERY = timedelta(hours=4), timedelta(days=1)
"""When reviewers of a break-glass use are first reminded, and how often after that."""
NO_REVIEWER = (
    "No one else can review this. An administrator can appoint another administrator or an approver."
)


def remind_and_escalate(now: datetime | None = None) -> int:
    """Remind and escalate what is due. Returns the number of sets.

    Safe to run concurrently: each row is claimed by compare-and-set.
    """
    now = now or datetime.now(tz=UTC)
    _open_missing()
    rows = Requirement.objects.select_related("change_set")
    due = rows.filter(remind_at__lte=now).order_by("remind_at")
    count = sum(_remind(row, now) for row in due[:BATCH])
    late = rows.filter(escalate_at__lte=now).order_by("escalate_at")
    count += sum(_escalate(row, now) for row in late[:BATCH])
    used = BreakGlass.objects.select_related("change_set").filter(reviewed_at__isnull=True)
    unreviewed = used.filter(remind_at__lte=now).order_by("remind_at")
    return count + sum(_remind_of_review(glass, now) for glass in unreviewed[:BATCH])


def _open_missing() -> None:
    """Create requirements for sets that are older than the rules."""
    waiting = Change.objects.filter(
        state=ChangeState.AWAITING, position=0, change_set__requirement__isnull=True
    )
    for group in ChangeSet.objects.filter(pk__in=waiting.values("change_set")[:BATCH]):
        with transaction.atomic():
            kept_requirement(group)


def _remind(row: Requirement, now: datetime) -> bool:
    parts = parts_of(row.change_set)
    waits = parts[0].state == ChangeState.AWAITING
    following = now + timedelta(hours=row.remind_hours) if waits and row.remind_hours else None
    with transaction.atomic():
        due = Requirement.objects.filter(pk=row.pk, remind_at=row.remind_at)
        if not due.update(remind_at=following, reminded=row.reminded + waits) or not waits:
            return False
        current = progress_of(row, parts=parts).current
        if current is None:
            return False
        note_by_gatehouse(parts[0], kind="reminded", note=_listed(list(current.able.values())))
        people, turn = current.able.keys(), row.reminded + 1
        notifications.tell_waiting(parts[0], people=people, event=NotifyEvent.REMINDER, turn=turn)
    return True


def _escalate(row: Requirement, now: datetime) -> bool:
    parts = parts_of(row.change_set)
    waits = parts[0].state == ChangeState.AWAITING
    with transaction.atomic():
        still_due = Requirement.objects.filter(pk=row.pk, escalate_at=row.escalate_at)
        escalated_at = now if waits else None
        if not still_due.update(escalate_at=None, escalated_at=escalated_at) or not waits:
            return False
        row.refresh_from_db()
        set_ballots(row)
        accounts = {part.account.account_id for part in parts}
        barred = {parts[0].requested_by, *progress_of(row, parts=parts).about}
        people = {
            pk: name
            for pk, name in people_of(row.need.escalate_to, accounts=accounts).items()
            if pk not in barred
        }
        note_by_gatehouse(parts[0], kind="escalated", note=_listed(list(people.values())))
        notifications.tell_waiting(parts[0], people=people.keys(), event=NotifyEvent.ESCALATION)
    return True


def _remind_of_review(glass: BreakGlass, now: datetime) -> bool:
    parts = parts_of(glass.change_set)
    with transaction.atomic():
        due = BreakGlass.objects.filter(pk=glass.pk, remind_at=glass.remind_at, reviewed_at__isnull=True)
        if not due.update(remind_at=now + REVIEW_EVERY, reminded=glass.reminded + 1):
            return False
        people = people_of(REVIEWERS, accounts={part.account.account_id for part in parts})
        if not settings.SINGLE_OPERATOR:
            people.pop(glass.used_by, None)
        names = list(people.values())
        note = f"{_names(names)} can review it." if names else NO_REVIEWER
        note_by_gatehouse(parts[0], kind="review_reminded", note=note)
        notifications.tell_unreviewed(
            parts[0], people=people.keys(), by=glass.used_label, turn=glass.reminded + 1
        )
    return True


def _listed(names: list[str]) -> str:
    if not names:
        return (
            "No one can approve this now. An administrator can appoint an approver or change the approval "
            "rules."
        )
    return f"{_names(names)} can decide."


def _names(names: list[str]) -> str:
    more = f" and {len(names) - PREVIEW_NAMES} more" if len(names) > PREVIEW_NAMES else ""
    return f"{', '.join(names[:PREVIEW_NAMES])}{more}"
