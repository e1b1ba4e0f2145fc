"""Queries for the outbox, page by page, and for notification preferences."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count

from iam.keyset import NEWEST_FIRST, KeysetPlace, RowPage, page
from iam.notify.events import OFFERED, EventSpec
from iam.notify.models import MessageChannel, MessageState, OutgoingMessage, Preference, SlackMember

PAGE = 50


def outbox_page(*, state: str = "", after: KeysetPlace | None = None) -> RowPage[OutgoingMessage]:
    """Return a page of messages, newest first, with one query."""
    messages = OutgoingMessage.objects.all()
    if state in MessageState.values:
        messages = messages.filter(state=state)
    return page(messages, order=NEWEST_FIRST, size=PAGE, after=after)


def unsent_counts() -> dict[str, int]:
    """Return the numbers of waiting, sending and given-up messages by state, with one query."""
    unsent = OutgoingMessage.objects.exclude(state=MessageState.SENT).values_list("state")
    return dict(unsent.annotate(count=Count("pk")).order_by())


@dataclass(frozen=True, slots=True)
class EventChoice:
    """An event with the person's choices: mail, and mention in Slack."""

    spec: EventSpec
    email: bool
    slack: bool


def choices_of(person_id: UUID) -> list[EventChoice]:
    """Return the person's choices for all events, with one query."""
    chosen = _chosen([person_id])
    return [
        EventChoice(
            spec,
            email=spec.is_fixed
            or chosen.get((person_id, spec.event, MessageChannel.EMAIL), not spec.is_opt_in),
            slack=chosen.get((person_id, spec.event, MessageChannel.SLACK), False),
        )
        for spec in OFFERED
    ]


def who_wants(people: list[UUID], *, spec: EventSpec, channel: MessageChannel) -> set[UUID]:
    """Return which of these people want the event by the channel, with one query."""
    default = channel is MessageChannel.EMAIL and not spec.is_opt_in
    if spec.is_fixed and default:
        return set(people)
    chosen = _chosen(people, event=spec.event)
    return {person_id for person_id in people if chosen.get((person_id, spec.event, channel), default)}


def _chosen(people: list[UUID], *, event: str = "") -> dict[tuple[UUID, str, str], bool]:
    rows = Preference.objects.filter(person_id__in=people)
    rows = rows.filter(event=event) if event else rows
    return {(row.person_id, row.event, row.channel): row.is_wanted for row in rows}


def slack_member_of(person_id: UUID) -> str:
    """Return the person's Slack member ID, or an empty string."""
    return SlackMember.objects.filter(pk=person_id).values_list("member_id", flat=True).first() or ""
