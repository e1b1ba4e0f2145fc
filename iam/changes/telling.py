"""Tells people of changes: who has to decide, how it was decided, how it ended. Each reads only of what they may open.

A set is told of by its first change. Whoever calls this from within a transaction has the messages written with it, or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet, UUIDField

from iam.changes.models import Approval, Change, ChangeState, Decision
from iam.changes.queries import visible_changes
from iam.changes.titles import partly_hidden
from iam.directory.models import Person
from iam.guard import viewer_for
from iam.notify.events import Event
from iam.notify.services import notify
from iam.prepared import Slot, Statement

A_MINUTE, MISSED_FOR, MOST = timedelta(minutes=1), timedelta(minutes=10), 200
_ENDED: dict[str, tuple[Event, str]] = {
    ChangeState.APPLIED: (Event.APPLIED, "was carried out"),
    ChangeState.FAILED: (Event.TROUBLE, "failed"),
    ChangeState.UNKNOWN: (Event.TROUBLE, "ended unknown: somebody has to look"),
    ChangeState.REJECTED: (Event.DECIDED, "was rejected"),
    ChangeState.EXPIRED: (Event.DECIDED, "closed by itself"),
}
_WAITS = {
    Event.WAITING: "waits for your approval",
    Event.REMINDER: "still waits for your approval",
    Event.ESCALATION: "was left unanswered and waits for your approval",
}

_LEFT = Statement(
    lambda: (
        Change.objects.filter(change_set=Slot("change_set", UUIDField()))
        .exclude(state=ChangeState.APPLIED)
        .values_list("pk")[:1]
    )
)
"""Whether a set has changes that are not applied."""


def tell_waiting(
    first: Change, *, people: Collection[UUID], event: Event = Event.WAITING, turn: int | str = 0
) -> None:
    """A set waits for these people; `event` also reminds and escalates. `turn` tells one stage, or one reminder, from the next."""
    _tell(
        event,
        first,
        people=set(people) - {first.requested_by},
        said=_WAITS[event],
        text=f"Asked by {first.requested_label}, in {first.account.name}: {first.reason}",
        key=f"{first.change_set_id}:{turn}",
        page=f"/changes/{first.pk}/approval/",
    )


def tell_decided(first: Change) -> None:
    """Whoever asked for a set learns that it was approved."""
    _tell(
        Event.DECIDED,
        first,
        people={first.requested_by},
        said="was approved",
        text=_by_whom(first, Decision.APPROVE),
        key=f"{first.change_set_id}:approved",
    )


def tell_broken_glass(first: Change, *, people: Collection[UUID], by: str) -> None:
    """A set was applied without approval, in an emergency: these people learn of it, whatever they chose."""
    _tell(
        Event.BREAK_GLASS,
        first,
        people=set(people),
        said=f"was applied without approval by {by}",
        text=f"In {first.account.name}: {first.reason}\n\nSomebody else has to review it.",
        key=f"{first.change_set_id}:broken",
    )


def tell_unreviewed(first: Change, *, people: Collection[UUID], by: str, turn: int) -> None:
    """What was applied without approval still waits for a review: these people learn of it again, whatever they chose."""
    _tell(
        Event.BREAK_GLASS,
        first,
        people=set(people),
        said=f"was applied without approval by {by}, and nobody has reviewed it",
        text=f"In {first.account.name}: {first.reason}\n\nYou are told of it again until somebody has reviewed it.",
        key=f"{first.change_set_id}:unreviewed:{turn}",
        page=f"/changes/{first.pk}/review/",
    )


def tell_comment(first: Change, *, by: UUID, name: str, said: str, event: int) -> None:
    """Somebody said something about a set that waits: who asked for it, who decided a stage and who has said something learn of it."""
    people = {first.requested_by, *_approvals(first, Decision.APPROVE).values_list("approver_id", flat=True)}
    people |= {pk for pk in first.events.filter(kind="commented").values_list("actor_id", flat=True) if pk}
    _tell(
        Event.COMMENTED,
        first,
        people=people - {by},
        said=f"{name} said something about it",
        text=said,
        key=f"{first.change_set_id}:said:{event}",
        page=f"/changes/{first.pk}/approval/",
    )


def tell_end(change: Change) -> None:
    """A handler of ends: whoever asked for the set learns how it ended, once; those who approved it too, where it went wrong."""
    event, said = _ENDED.get(change.state, (None, ""))
    if event is None:
        return
    of_set = Change.objects.filter(change_set=change.change_set_id)
    if event is Event.APPLIED and _LEFT.rows(change_set=change.change_set_id):
        return
    is_first = change.position == 0 and change.lane == 0
    first = change if is_first else of_set.select_related("account", "change_set").order_by("position")[0]
    people = {first.requested_by}
    if event is Event.TROUBLE:
        people |= set(_approvals(first, Decision.APPROVE).values_list("approver_id", flat=True))
    _tell(
        event, first, people=people, said=said, text=_why(change), key=f"{first.change_set_id}:{change.state}"
    )


def tell_missed_ends() -> int:
    """Tell of what went wrong lately, in case the process that ended it died before it told; who was told is not told again."""
    now = datetime.now(tz=UTC)
    lately = Change.objects.filter(
        state__in=[ChangeState.FAILED, ChangeState.UNKNOWN],
        ended_at__range=(now - MISSED_FOR, now - A_MINUTE),
    )
    missed = list(lately.select_related("change_set").order_by("ended_at")[:MOST])
    for change in missed:
        tell_end(change)
    return len(missed)


def _tell(
    event: Event, first: Change, *, people: Iterable[UUID], said: str, text: str, key: str, page: str = ""
) -> None:
    """`page` is where it leads to: the page of the change, where none is given. Who does not see the change today, having left a team, is told
    nothing of it any more; who does not see all of its set is not told the title of the set.
    """
    by_title: dict[str, list[Person]] = {first.change_set.title or first.title: []}
    for one in _active(people):
        viewer = viewer_for(one)
        if visible_changes(viewer).filter(pk=first.pk).exists():
            is_partial = bool(partly_hidden([first.change_set_id], viewer=viewer))
            title = "" if is_partial else first.change_set.title
            by_title.setdefault(title or first.title, []).append(one)
    for title, readers in by_title.items():
        notify(
            event,
            people=readers,
            subject=f"{first.reference} {said}: {title}",
            text=text,
            path=page or f"/changes/{first.pk}/",
            key=key,
            reference=first.reference,
        )


def _active(people: Iterable[UUID]) -> list[Person]:
    return list(Person.objects.filter(pk__in=list(people), is_active=True).order_by("pk"))


def _why(change: Change) -> str:
    if change.state == ChangeState.REJECTED:
        return _by_whom(change, Decision.REJECT)
    if change.state == ChangeState.EXPIRED:
        return "It waited too long. It can be asked for again."
    return change.error_message


def _by_whom(change: Change, decision: Decision) -> str:
    one = _approvals(change, decision).order_by("-id").first()
    return f"By {one.approver_label}.{' ' + one.comment if one.comment else ''}" if one else ""


def _approvals(change: Change, decision: Decision) -> QuerySet[Approval]:
    return Approval.objects.filter(change_set=change.change_set_id, decision=decision)
