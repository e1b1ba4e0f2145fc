"""Notifies people of changes: who has to decide, the decision, and the result. People read only what they can
open.

A set is represented by its first change. Within a transaction, messages are written with it or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from iam.changes.approval import ends
from iam.changes.approval.models import OWN_DEVICE, Requirement
from iam.changes.causes import kind_of
from iam.changes.models import Approval, Change, ChangeState, Decision
from iam.changes.queries import visible_changes
from iam.changes.summary import text_of
from iam.changes.titles import partly_hidden, title_of
from iam.changes.warnings import warnings_of
from iam.directory.approval_words import someone_else
from iam.directory.models import Identity, Person
from iam.guard import viewer_for
from iam.notify.events import NotifyEvent
from iam.notify.pages import MessagePage, path_of
from iam.notify.services import notify

A_MINUTE, MISSED_FOR, MAX_MISSED = timedelta(minutes=1), timedelta(minutes=10), 200
MAX_WARNINGS = 20
_ENDED: dict[str, tuple[NotifyEvent, str]] = {
    ChangeState.APPLIED: (NotifyEvent.APPLIED, "Done"),
    ChangeState.FAILED: (NotifyEvent.TROUBLE, "Failed"),
    ChangeState.UNKNOWN: (NotifyEvent.TROUBLE, "Outcome unknown"),
    ChangeState.REJECTED: (NotifyEvent.DECIDED, "Rejected"),
    ChangeState.EXPIRED: (NotifyEvent.DECIDED, "Expired"),
}
_WAITS = {
    NotifyEvent.WAITING: "Waiting for your approval",
    NotifyEvent.REMINDER: "Still waiting for your approval",
    NotifyEvent.ESCALATION: "Escalated to you for approval",
}
ACCEPTED = "Warnings you accept by approving:"
GOOD_TO_KNOW = "Good to know:"


def tell_waiting(
    first: Change, *, people: Collection[UUID], event: NotifyEvent = NotifyEvent.WAITING, turn: int | str = 0
) -> None:
    """Notify people that a set waits for them, or `event` for reminders and escalations.

    `turn` distinguishes stages and reminders.
    """
    _notify(
        event,
        first,
        people=set(people) - {first.requested_by},
        outcome=_WAITS[event],
        text=_requested(first),
        warnings=_warnings(first),
        key=f"{first.change_set_id}:{turn}",
    )


def tell_decided(first: Change) -> None:
    """Notify the requester that a set was approved."""
    _notify(
        NotifyEvent.DECIDED,
        first,
        people={first.requested_by},
        outcome="Approved",
        text=_by_whom(first, Decision.APPROVE),
        key=f"{first.change_set_id}:approved",
    )


def tell_broken_glass(first: Change, *, people: Collection[UUID], by: str) -> None:
    """Notify people of a set that was applied without approval in an emergency, whatever their
    preferences.
    """
    _notify(
        NotifyEvent.BREAK_GLASS,
        first,
        people=set(people),
        outcome=f"Applied without approval by {by}",
        text=f"{_requested(first)}\n\n{someone_else()} has to review this.",
        key=f"{first.change_set_id}:broken",
    )


def tell_unreviewed(first: Change, *, people: Collection[UUID], by: str, turn: int) -> None:
    """Remind people of a missing review of a set applied without approval, whatever their preferences."""
    _notify(
        NotifyEvent.BREAK_GLASS,
        first,
        people=set(people),
        outcome=f"Still to be reviewed, applied without approval by {by}",
        text=f"{_requested(first)}\n\nYou get this reminder until someone has reviewed it.",
        key=f"{first.change_set_id}:unreviewed:{turn}",
        page=path_of(MessagePage.CHANGE_REVIEW, first.pk),
    )


def tell_comment(first: Change, *, by: UUID, name: str, comment: str, event: int) -> None:
    """Notify the requester, the deciders and other commenters of a comment on a waiting set."""
    people = {first.requested_by, *_approvals(first, Decision.APPROVE).values_list("approver_id", flat=True)}
    people |= {pk for pk in first.events.filter(kind="commented").values_list("actor_id", flat=True) if pk}
    _notify(
        NotifyEvent.COMMENTED,
        first,
        people=people - {by},
        outcome=f"{name} commented",
        text=comment,
        key=f"{first.change_set_id}:said:{event}",
    )


def tell_end(change: Change) -> None:
    """Notify the requester, once, how the set ended, and the approvers if it failed (a handler of ends).

    Changes to a person's own device are left out: the person sees the result on the page, and many can't sign
    in yet.
    """
    event, text = _ENDED.get(change.state, (None, ""))
    if event is None or _is_of_own_device(change):
        return
    of_set = Change.objects.filter(change_set=change.change_set_id)
    if event is NotifyEvent.APPLIED and of_set.exclude(state=ChangeState.APPLIED).exists():
        return
    is_first = change.position == 0 and change.lane == 0
    first = change if is_first else of_set.select_related("account", "change_set").order_by("position")[0]
    people = {first.requested_by}
    if event is NotifyEvent.APPLIED and _is_for_requester(first):
        text = "You now have access"
    if event is NotifyEvent.APPLIED:
        people -= _told_otherwise(first)
    if event is NotifyEvent.TROUBLE:
        people |= set(_approvals(first, Decision.APPROVE).values_list("approver_id", flat=True))
    _notify(
        event,
        first,
        people=people,
        outcome=text,
        text=_failure_reason(change),
        key=f"{first.change_set_id}:{change.state}",
    )


def _told_otherwise(first: Change) -> set[UUID]:
    people = kind_of(first.change_set).told
    cause_id = first.change_set.cause_id
    return people(cause_id) if people and cause_id else set()


def _is_of_own_device(change: Change) -> bool:
    if not change.operation.startswith("mfa_device."):
        return False
    own = Requirement.objects.filter(change_set=change.change_set_id, because=[OWN_DEVICE])
    return own.exists()


def _is_for_requester(first: Change) -> bool:
    """True if the set gives access of a grant to the requester's own AWS users only."""
    if not first.change_set.is_of_grant:
        return False
    subjects = Change.objects.filter(change_set=first.change_set_id, subject_kind="user")
    arns = set(subjects.values_list("subject_arn", flat=True))
    own = Identity.objects.filter(person=first.requested_by, user_arn__in=arns)
    return bool(arns) and own.count() == len(arns)


def tell_missed_ends() -> int:
    """Notify of recent failures whose process died before it could. Nobody is notified twice."""
    now = datetime.now(tz=UTC)
    lately = Change.objects.filter(
        state__in=[ChangeState.FAILED, ChangeState.UNKNOWN],
        ended_at__range=(now - MISSED_FOR, now - A_MINUTE),
    )
    missed = list(lately.select_related("change_set").order_by("ended_at")[:MAX_MISSED])
    for change in missed:
        tell_end(change)
    return len(missed)


def _notify(
    event: NotifyEvent,
    first: Change,
    *,
    people: Iterable[UUID],
    outcome: str,
    text: str,
    key: str,
    page: str = "",
    warnings: str = "",
) -> None:
    """Notify people. `page` is the link, by default the page of the request.

    People who can't see the change today are left out. People who don't see the whole set read neither its
    title, its effect elsewhere nor its `warnings`.
    """
    readers: dict[tuple[bool, bool], list[Person]] = {}
    for person in _active(people):
        viewer = viewer_for(person)
        if visible_changes(viewer).filter(pk=first.pk).exists():
            is_partial = bool(partly_hidden([first.change_set_id], viewer=viewer))
            readers.setdefault((is_partial, not viewer.sees_accounts), []).append(person)
    for (is_partial, is_plain), recipients in sorted(readers.items()):
        title = title_of(first, is_partial=is_partial)
        lines = [text] if is_partial else [_summary(first, title=title, plain=is_plain), text, warnings]
        notify(
            event,
            people=recipients,
            subject=f"{outcome}: {title}",
            text="\n\n".join(filter(None, lines)),
            path=page or path_of(MessagePage.REQUEST, first.pk),
            key=key,
            reference=first.reference,
        )


def _summary(first: Change, *, title: str, plain: bool) -> str:
    """What the request does, where and until when; "" if that only repeats its title."""
    change_set = first.change_set
    lasts = ends.lasts_of([change_set]).get(change_set.pk, "")
    words = text_of(change_set.summary, until=ends.end_of(change_set), lasts=lasts, plain=plain)
    return "" if words == title else words


def _requested(first: Change) -> str:
    return f"Requested by {first.requested_label}: {first.reason}"


def _warnings(first: Change) -> str:
    """The warnings and notes that approvers accept, one per line; "" if there are none."""
    parts = Change.objects.filter(change_set=first.change_set_id).order_by("position")
    accepted = warnings_of(first.change_set, parts=parts.only("title", "subject_arn", "receipt"))
    paragraphs = []
    for heading, is_note in ((ACCEPTED, False), (GOOD_TO_KNOW, True)):
        warnings = [warning for warning in accepted if warning.is_note is is_note]
        lines = [f"- {warning.full_text}" for warning in warnings[:MAX_WARNINGS]]
        if len(warnings) > MAX_WARNINGS:
            lines.append(f"- and {len(warnings) - MAX_WARNINGS} more, on the page of the request")
        if lines:
            paragraphs.append("\n".join([heading, *lines]))
    return "\n\n".join(paragraphs)


def _active(people: Iterable[UUID]) -> list[Person]:
    return list(Person.objects.filter(pk__in=list(people), is_active=True).order_by("pk"))


def _failure_reason(change: Change) -> str:
    if change.state == ChangeState.REJECTED:
        return _by_whom(change, Decision.REJECT)
    if change.state == ChangeState.EXPIRED:
        return "No one answered in time. You can submit it again."
    return change.error_message


def _by_whom(change: Change, decision: Decision) -> str:
    approval = _approvals(change, decision).order_by("-id").first()
    if approval is None:
        return ""
    comment = f" {approval.comment}" if approval.comment else ""
    return f"By {approval.approver_label}.{comment}"


def _approvals(change: Change, decision: Decision) -> QuerySet[Approval]:
    return Approval.objects.filter(change_set=change.change_set_id, decision=decision)
