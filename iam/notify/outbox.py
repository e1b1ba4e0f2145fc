"""Sends due messages: each is claimed by compare-and-set with a lease, retried with growing pauses, and
finally given up with an error in the log.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet

from iam import nudge
from iam.journal.services import record
from iam.notify.channels import DeliveryError, send
from iam.notify.models import DELIVER, MessageState, OutgoingMessage

logger = structlog.get_logger(__name__)

LEASE = timedelta(seconds=120)
"""It is longer than a sending can take: a mail server has 20 seconds per step."""
PAUSES = (5, 30, 120, 600, 3600, 4 * 3600)
"""Seconds before each retry. After the last one, a message is given up."""
MAX_TRIES = len(PAUSES) + 1
RETENTION = timedelta(days=30)
"""How long a sent message is kept."""
BATCH = 200


def due(now: datetime) -> QuerySet[OutgoingMessage]:
    """Return messages that are due, or whose worker's lease has expired."""
    return OutgoingMessage.objects.filter(
        Q(state=MessageState.WAITING, due_at__lte=now) | Q(state=MessageState.SENDING, lease_until__lte=now)
    )


def deliver(outgoing_id: UUID) -> None:
    """Send a message if it is due and no other worker has it. It is safe to call at any time from several
    workers.

    If a worker dies after sending, another one sends the message again. Receivers can detect this by the
    row's id, in the Message-ID of mails and the Gatehouse-Delivery header of webhooks. A message that ended
    as many workers as there are attempts is given up.
    """
    message = _claim(outgoing_id)
    if message is None:
        return
    if message.attempts > MAX_TRIES:
        _give_up(
            message, DeliveryError("Every worker that tried to send it stopped before it could confirm.")
        )
        return
    try:
        send(message)
    except DeliveryError as error:
        _after_failure(message, error)
    else:
        _end(message, state=MessageState.SENT, error="")


def _claim(outgoing_id: UUID) -> OutgoingMessage | None:
    now = datetime.now(tz=UTC)
    message = due(now).filter(pk=outgoing_id).first()
    if message is None:
        return None
    claimed = OutgoingMessage.objects.filter(pk=message.pk, state=message.state, attempts=message.attempts)
    if not claimed.update(state=MessageState.SENDING, attempts=message.attempts + 1, lease_until=now + LEASE):
        return None
    message.state, message.attempts = MessageState.SENDING, message.attempts + 1
    return message


def _after_failure(message: OutgoingMessage, error: DeliveryError) -> None:
    logger.warning("notify.not_sent", outgoing=str(message.pk), channel=message.channel, error=str(error))
    if error.is_final or message.attempts >= MAX_TRIES:
        _give_up(message, error)
        return
    again = datetime.now(tz=UTC) + timedelta(seconds=PAUSES[message.attempts - 1])
    _locked_message(message).update(
        state=MessageState.WAITING, due_at=again, lease_until=None, error=str(error)[:512]
    )


def _give_up(message: OutgoingMessage, error: DeliveryError) -> None:
    with transaction.atomic():
        if not _end(message, state=MessageState.GIVEN_UP, error=str(error)):
            return
        logger.error("notify.given_up", outgoing=str(message.pk), channel=message.channel, error=str(error))
        record(
            kind="notice.given_up",
            actor=None,
            subject=message.name or message.get_channel_display(),
            data={
                "event": message.event,
                "channel": message.channel,
                "error": str(error),
                "tries": message.attempts,
            },
        )


def _end(message: OutgoingMessage, *, state: MessageState, error: str) -> bool:
    values = {"state": state, "due_at": None, "lease_until": None, "error": error[:512]}
    return bool(_locked_message(message).update(**values, ended_at=datetime.now(tz=UTC)))


def _locked_message(message: OutgoingMessage) -> QuerySet[OutgoingMessage]:
    """Return the row while this worker still holds it."""
    return OutgoingMessage.objects.filter(
        pk=message.pk, state=MessageState.SENDING, attempts=message.attempts
    )


def sweep() -> int:
    """Notify workers of due messages and delete old sent ones. Returns how many were queued. It is safe to
    run twice at once.
    """
    now = datetime.now(tz=UTC)
    OutgoingMessage.objects.filter(state=MessageState.SENT, ended_at__lt=now - RETENTION).delete()
    return nudge.send_each(
        DELIVER, list(due(now).order_by("created_at").values_list("pk", flat=True)[:BATCH])
    )
