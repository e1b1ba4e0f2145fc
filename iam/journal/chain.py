"""The hash chain: entries are written freely, and one chainer at a time gathers them into blocks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

import structlog
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from iam.journal import clock
from iam.journal.models import Entry, JournalBlock, JournalLink

logger = structlog.get_logger(__name__)
GENESIS = "0" * 64
BATCH = 1_000
BLOCKS_PER_RUN = 50
# No transaction that writes an entry lives longer (Celery's hard limit is 55 minutes): an entry that turns up
# later than this below the entries that are already chained was not written by Gatehouse.
LATE_ENTRY_WINDOW = timedelta(hours=1)
# An empty block at least this often, so that an entry cannot be dated back into a quiet weekend.
SILENCE = timedelta(hours=1)
_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class ChainMember:
    """A place in a block, and the entry that has it; None once the entry was removed."""

    link: JournalLink
    entry: Entry | None


def stamp(moment: datetime) -> str:
    """A moment as the hash covers it: UTC with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def canonical(entry: Entry) -> str:
    """An entry as the hash covers it: JSON with sorted keys and no spaces; `data` is the text as it was
    written.
    """
    return canonical_json(
        {
            "id": entry.id,
            "at": stamp(entry.at),
            "kind": entry.kind,
            "actor_id": str(entry.actor_id) if entry.actor_id else None,
            "actor_label": entry.actor_label,
            "actor_email": entry.actor_email,
            "subject": entry.subject,
            "account_id": entry.account_id,
            "request_id": entry.request_id,
            "ip": entry.ip,
            "data": entry.data_json,
        }
    )


def entry_hash(entry: Entry) -> str:
    """SHA-256 of the canonical JSON of an entry."""
    return hashlib.sha256(canonical(entry).encode()).hexdigest()


def block_hash(block: JournalBlock, hashes: Iterable[str]) -> str:
    """SHA-256 over lines joined by a line feed: the header of the block as JSON, then the hash of each entry
    in their order.
    """
    header = {
        "sequence": block.sequence,
        "previous": block.previous,
        "made_at": stamp(block.made_at),
        "count": block.count,
        "total": block.total,
        "highest": block.highest,
    }
    return hashlib.sha256("\n".join([canonical_json(header), *hashes]).encode()).hexdigest()


def canonical_json(value: Mapping[str, object]) -> str:
    """The text that is hashed and exported."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def members_of(links: QuerySet[JournalLink]) -> Iterator[ChainMember]:
    """The links with their entries, in the same order, as a stream."""
    stream = links.iterator(chunk_size=_CHUNK)
    while chunk := list(islice(stream, _CHUNK)):
        entries = Entry.objects.in_bulk([link.entry_id for link in chunk])
        for link in chunk:
            yield ChainMember(link, entries.get(link.entry_id))


def floor(last: JournalBlock | None) -> int:
    """Entries up to this id are chained already, or have no business being there: counted back from the last
    block, so that a chainer that was down for days still takes what was on its way when it stopped.
    """
    if last is None:
        return 0
    earlier = (
        JournalBlock.objects.filter(made_at__lte=last.made_at - LATE_ENTRY_WINDOW)
        .order_by("-sequence")
        .first()
    )
    return earlier.highest if earlier else 0


def unchained(last: JournalBlock | None) -> QuerySet[Entry]:
    """The entries that wait for their block, by id."""
    return Entry.objects.filter(id__gt=floor(last), link__isnull=True).order_by("id")


def chain_pending() -> int:
    """Gather what waits into blocks and return how many entries were taken.

    Writers are never waited for: entries are read first, and only block and links are written in one short
    transaction. When somebody else made the same block in the meantime, the database refuses ours, and theirs
    is as good.
    """
    taken = 0
    for _ in range(BLOCKS_PER_RUN):
        count = _append_block()
        if count is None:
            break
        taken += count
        if count < BATCH:
            break
    return taken


def _append_block() -> int | None:
    """The number of entries in the new block; None when there was nothing to do or another chainer was
    first.
    """
    made_at = clock.now()
    last = JournalBlock.objects.order_by("-sequence").first()
    entries = list(unchained(last)[:BATCH])
    if not entries and (last is None or made_at - last.made_at < SILENCE):
        return None
    sequence, previous = (last.sequence + 1, last.hash) if last else (1, GENESIS)
    block = JournalBlock(
        sequence=sequence,
        previous=previous,
        made_at=made_at,
        count=len(entries),
        total=(last.total if last else 0) + len(entries),
        highest=max([last.highest if last else 0, *(entry.id for entry in entries)]),
    )
    links = [JournalLink(entry=e, block=block, position=i, hash=entry_hash(e)) for i, e in enumerate(entries)]
    block.hash = block_hash(block, [link.hash for link in links])
    try:
        with transaction.atomic():
            block.save(force_insert=True)
            JournalLink.objects.bulk_create(links)
    except IntegrityError:
        if not JournalBlock.objects.filter(sequence=block.sequence).exists():
            raise
        return None
    # A copy of the head outside the database: anyone who rewrites the whole chain is contradicted by the
    # worker's log.
    logger.info("journal.chained", sequence=block.sequence, hash=block.hash, entries=block.count)
    return len(entries)
