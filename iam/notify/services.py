"""Puts messages into the outbox, and saves notification preferences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from iam import nudge
from iam.journal.services import Actor, KnownPerson, record
from iam.notify.events import OFFERED, EventSpec, NotifyEvent, spec_of
from iam.notify.models import DELIVER, MessageChannel, MessageState, OutgoingMessage, Preference, SlackMember
from iam.notify.queries import who_wants

SLACK_MEMBER = re.compile(r"[UW][A-Z0-9]{5,20}")
SUBJECT, NAME = 300, 128
MAX_NUDGES = 20


class NotifyError(Exception):
    """The request can't be done. The message is a sentence for the person."""


Addressee = KnownPerson
"""A recipient of a notification."""


def notify(
    event: NotifyEvent,
    *,
    people: Iterable[Addressee],
    subject: str,
    key: str,
    text: str = "",
    path: str = "/",
    reference: str = "",
) -> int:
    """Put a message for each person into the outbox, in the caller's transaction, and return how many
    messages there are to send.

    All these people must be allowed to read `subject` and `text`; call it again with other texts for others.
    `path` is the page, which each person's signed link opens after signing in. `key` identifies the event
    (such as a change's id and state): each person gets a key once, however often this is called, and so do
    the rooms (Slack, webhook), which only get the event, `reference` and the page unless
    settings.NOTIFY_DETAILS is set. Never include a secret.
    """
    spec = spec_of(event)
    known = {addressee.id: addressee for addressee in people}
    rows = [
        _row(
            spec, MessageChannel.EMAIL, key, subject, text, path, reference,
            recipient=str(pk), name=known[pk].name[:NAME], address=known[pk].email,
        )
        for pk in sorted(_by_mail(list(known), spec))
    ]  # fmt: skip
    rows += [
        _row(spec, room, key, subject, text, path, reference, mentions=_mentions(room, spec, list(known)))
        for room in (() if spec.is_private else notification_rooms())
    ]
    sent = set(
        OutgoingMessage.objects.filter(key__in={row.key for row in rows}).values_list("channel", "recipient")
    )
    fresh = [row for row in rows if (row.channel, row.recipient) not in sent]
    # If two run at once, the constraint accepts the first, and the other adds nothing.
    OutgoingMessage.objects.bulk_create(fresh, ignore_conflicts=True)
    # Further messages are left to the periodic task, so that no one waits for the broker.
    nudge.send_each_after_commit(DELIVER, [row.pk for row in fresh[:MAX_NUDGES]])
    return len(fresh)


def _by_mail(people: list[UUID], spec: EventSpec) -> set[UUID]:
    """Return who gets a mail: no one without a mail server. Pending work is in everyone's inbox anyway, and
    counted on every page.
    """
    return (
        who_wants(people, spec=spec, channel=MessageChannel.EMAIL) if settings.MAIL_IS_CONFIGURED else set()
    )


def notification_rooms() -> list[MessageChannel]:
    """Return the configured rooms."""
    channels = [
        (MessageChannel.SLACK, settings.SLACK_WEBHOOK),
        (MessageChannel.WEBHOOK, settings.WEBHOOK_URL),
    ]
    return [channel for channel, address in channels if address]


def _row(
    spec: EventSpec,
    channel: MessageChannel,
    key: str,
    subject: str,
    text: str,
    path: str,
    reference: str,
    **fields: object,
) -> OutgoingMessage:
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError(f"{path!r} isn’t an address of Gatehouse.")
    return OutgoingMessage(
        event=spec.event,
        channel=channel,
        key=f"{spec.event}:{key}"[:160],
        subject=" ".join(subject.split())[:SUBJECT],
        text=text,
        path=path,
        reference=reference,
        due_at=datetime.now(tz=UTC),
        **fields,
    )


def _mentions(room: MessageChannel, spec: EventSpec, people: list[UUID]) -> list[str]:
    if room is not MessageChannel.SLACK or not people:
        return []
    wanting = who_wants(people, spec=spec, channel=MessageChannel.SLACK)
    return list(
        SlackMember.objects.filter(pk__in=wanting).order_by("member_id").values_list("member_id", flat=True)
    )


@transaction.atomic
def save_preferences(
    person_id: UUID, *, wanted: Mapping[MessageChannel, Sequence[str]], slack_member: str, actor: Actor
) -> None:
    """Save a person's preferences, for mail and for Slack. An event that isn't listed isn't wanted. Raises
    NotifyError.
    """
    member = slack_member.strip().upper()
    if member and not SLACK_MEMBER.fullmatch(member):
        raise NotifyError(
            "A Slack member ID looks like U024BE7LH: in Slack, open your profile, then ⋮, then Copy member "
            "ID."
        )
    if member and SlackMember.objects.filter(member_id=member).exclude(pk=person_id).exists():
        raise NotifyError(f"{member} is already someone else’s Slack member ID.")
    for channel in (MessageChannel.EMAIL, MessageChannel.SLACK):
        for spec in OFFERED:
            Preference.objects.update_or_create(
                person_id=person_id,
                event=spec.event,
                channel=channel,
                defaults={"is_wanted": spec.event in wanted.get(channel, ())},
            )
    if member:
        SlackMember.objects.update_or_create(pk=person_id, defaults={"member_id": member})
    else:
        SlackMember.objects.filter(pk=person_id).delete()
    record(
        kind="notice.preferences",
        actor=actor,
        data={
            "email": sorted(wanted.get(MessageChannel.EMAIL, ())),
            "slack": sorted(wanted.get(MessageChannel.SLACK, ())),
        },
    )


def send_again(outgoing: OutgoingMessage, *, actor: Actor) -> None:
    """Queue a given-up message again. Raises NotifyError if it isn't given up any more."""
    now = datetime.now(tz=UTC)
    with transaction.atomic():
        given_up = OutgoingMessage.objects.filter(pk=outgoing.pk, state=MessageState.GIVEN_UP)
        if not given_up.update(state=MessageState.WAITING, attempts=0, due_at=now, ended_at=None, error=""):
            raise NotifyError("This message is on its way already.")
        record(
            kind="notice.send_again",
            actor=actor,
            subject=outgoing.subject,
            data={"channel": outgoing.channel},
        )
        nudge.send_after_commit(DELIVER, outgoing.pk)
