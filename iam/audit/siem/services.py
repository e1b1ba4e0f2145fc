"""Sends new entries of the chain to each receiver: in order, at least once, and starting from the last
confirmed one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from django.conf import settings
from django.db.models import F, Q, QuerySet, Subquery

from iam import nudge
from iam.audit.siem.lines import ExportedEntry, exported_entry
from iam.audit.siem.models import ExportPosition
from iam.audit.siem.receivers import SiemReceiver, configured_receivers
from iam.journal.models import JournalBlock, JournalCut, JournalLink
from iam.notify.channels.errors import DeliveryError

logger = structlog.get_logger(__name__)
SEND: Final = "iam.audit.siem.tasks.send_to_receiver"
LEASE: Final = timedelta(minutes=3)
"""Longer than sending one batch takes. Each batch renews the lease."""
BATCH_ENTRIES: Final = 500
BATCH_BYTES: Final = 900_000
"""Many receivers accept one megabyte at once."""
BATCHES_PER_RUN: Final = 40
PAUSES: Final = (10, 30, 60, 300)
"""Seconds before each retry; the last value repeats forever."""


@dataclass(frozen=True, slots=True)
class ReceiverState:
    """The status of a receiver.

    `entry` is None if it has nothing yet. `behind` is the number of entries it lacks, None if unknown.
    """

    label: str
    entry: int | None = None
    sent_at: datetime | None = None
    behind: int | None = None
    error: str = ""


def nudge_receivers() -> int:
    """Queue a task for each receiver that lacks entries. Returns their number.

    One query if nothing is new; none without receivers.
    """
    receivers = configured_receivers()
    if not receivers:
        return 0
    now = datetime.now(tz=UTC)
    positions = _positions(receivers)
    nudged = 0
    for receiver in receivers:
        known = positions.get(receiver.key)
        if known is None:
            _begin(receiver)
        elif not known[1] or not _is_free(known[0], now):
            continue
        nudged += nudge.send(SEND, receiver.key)
    return nudged


def send_pending(key: str) -> int:
    """Send the entries that this receiver lacks, unless another worker does. Returns the number of confirmed
    entries.

    If a worker is killed, its lease expires and its batch is sent again.
    """
    receiver = {known.key: known for known in configured_receivers()}.get(key)
    if receiver is None:
        return 0
    position = _claim(key)
    if position is None:
        return 0
    confirmed = 0
    for _ in range(BATCHES_PER_RUN):
        batch = _next_batch(position)
        if not batch:
            break
        try:
            receiver.send(batch)
        except DeliveryError as error:
            _keep_failure(position, str(error))
            return confirmed
        if not _advance(position, batch):
            return confirmed
        confirmed += len(batch)
    _mine(position).update(lease_until=None)
    return confirmed


def receiver_states() -> list[ReceiverState]:
    """The configured receivers with their status. One query; none without receivers."""
    receivers = configured_receivers()
    positions = _positions(receivers) if receivers else {}
    states = []
    for receiver in receivers:
        known = positions.get(receiver.key)
        if known is None:
            states.append(ReceiverState(receiver.label))
            continue
        position, behind = known
        states.append(ReceiverState(receiver.label, position.entry, position.sent_at, behind, position.error))
    return states


def entries_behind() -> int | None:
    """Return the number of entries that the slowest receiver lacks; None without receivers or before the
    first entry was sent.
    """
    numbers = [state.behind for state in receiver_states() if state.behind is not None]
    return max(numbers, default=None)


def _positions(receivers: Sequence[SiemReceiver]) -> dict[str, tuple[ExportPosition, int]]:
    """Return, by key of the receiver, its row and the number of entries it lacks."""
    newest = JournalBlock.objects.order_by("-sequence").values("total")[:1]
    rows = ExportPosition.objects.filter(receiver__in=[receiver.key for receiver in receivers])
    positions: dict[str, tuple[ExportPosition, int]] = {}
    for row in rows.annotate(total=Subquery(newest)):
        positions[row.receiver] = (row, max(0, (row.total or 0) - row.sent))
    return positions


def _is_free(position: ExportPosition, now: datetime) -> bool:
    """True if the row has no lease and no pause."""
    is_leased = position.lease_until is not None and position.lease_until > now
    return not is_leased and (position.due_at is None or position.due_at <= now)


def _begin(receiver: SiemReceiver) -> None:
    """Start a new receiver with the whole remaining journal or with new entries only, depending on the
    setting.
    """
    head = None if settings.SIEM_HISTORY else JournalBlock.objects.order_by("-sequence").first()
    cut = JournalCut.objects.order_by("-pk").first()
    start = {"sent": cut.removed} if cut else {}
    if head is not None:
        start = {"block": head.sequence, "position": head.count, "sent": head.total}
    ExportPosition.objects.get_or_create(receiver=receiver.key, defaults=start)


def _claim(key: str) -> ExportPosition | None:
    """Take the lease of a receiver, unless it is leased or paused."""
    now = datetime.now(tz=UTC)
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    due = Q(due_at=None) | Q(due_at__lte=now)
    row = ExportPosition.objects.filter(free, due, receiver=key).first()
    if row is None:
        return None
    claimed = ExportPosition.objects.filter(receiver=key, claim=row.claim)
    if not claimed.update(claim=F("claim") + 1, lease_until=now + LEASE):
        return None
    row.claim += 1
    return row


def _mine(position: ExportPosition) -> QuerySet[ExportPosition]:
    """Return the row as a query set; empty if another worker has taken it over."""
    return ExportPosition.objects.filter(receiver=position.receiver, claim=position.claim)


def _next_batch(position: ExportPosition) -> list[ExportedEntry]:
    """The next entries in chain order: as many as fit, but at least one."""
    later = Q(block_id__gt=position.block) | Q(position__gt=position.position)
    links = (
        JournalLink.objects.filter(later, block_id__gte=position.block)
        .select_related("entry")
        .order_by("block_id", "position")[:BATCH_ENTRIES]
    )
    batch: list[ExportedEntry] = []
    size = 0
    for link in links:
        exported = exported_entry(link)
        size += len(exported.line())
        if batch and size > BATCH_BYTES:
            break
        batch.append(exported)
    return batch


def _advance(position: ExportPosition, batch: Sequence[ExportedEntry]) -> bool:
    """Store what was confirmed. Returns False if another worker has taken over."""
    now = datetime.now(tz=UTC)
    last = batch[-1]
    position.block, position.position = last.block, last.position
    return bool(
        _mine(position).update(
            block=last.block,
            position=last.position,
            entry=last.entry,
            sent=F("sent") + len(batch),
            sent_at=now,
            lease_until=now + LEASE,
            due_at=None,
            failures=0,
            error="",
        )
    )


def _keep_failure(position: ExportPosition, error: str) -> None:
    """Store the error and pause, longer after each consecutive failure."""
    logger.error("siem.not_sent", receiver=position.receiver, error=error)
    row = _mine(position).first()
    if row is None:
        return
    pause = PAUSES[min(row.failures, len(PAUSES) - 1)]
    _mine(position).update(
        lease_until=None,
        due_at=datetime.now(tz=UTC) + timedelta(seconds=pause),
        failures=F("failures") + 1,
        error=error[:512],
    )
