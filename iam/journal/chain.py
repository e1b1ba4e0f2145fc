"""The hash chain: entries are written without locks, and one chainer at a time gathers them into blocks."""

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
# No transaction that writes an entry lives longer (Celery's hard limit is 55 minutes). An entry that appears
# later than this, with an id below those already chained, was not written by Gatehouse.
LATE_ENTRY_WINDOW = timedelta(hours=1)
# A block is made at least this often, even an empty one, so that an entry can't be backdated into a quiet
# weekend.
SILENCE = timedelta(hours=1)
_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class ChainMember:
    """A position in a block and its entry. The entry is None once retention has removed it."""

    link: JournalLink
    entry: Entry | None


def stamp(moment: datetime) -> str:
    """Return the time as the hash covers it: UTC with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def canonical(entry: Entry) -> str:
    """Return the entry as the hash covers it: JSON with sorted keys and no spaces, where `data` is the stored
    text.
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
    """Return the SHA-256 over lines joined by a line feed: the block header as JSON, then the hash of each
    entry in order.
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
    """Return the value as JSON with sorted keys and no spaces, the form that is hashed and exported."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def members_of(links: QuerySet[JournalLink]) -> Iterator[ChainMember]:
    """Yield the links with their entries, in the same order, without loading them all."""
    stream = links.iterator(chunk_size=_CHUNK)
    while chunk := list(islice(stream, _CHUNK)):
        entries = Entry.objects.in_bulk([link.entry_id for link in chunk])
        for link in chunk:
            yield ChainMember(link, entries.get(link.entry_id))


def floor(last: JournalBlock | None) -> int:
    """Return the highest entry id that the chainer no longer looks at: entries up to it are chained, or are
    not genuine. It is counted back from the last block, so that a chainer that was down for days still takes
    entries that were in flight when it stopped.
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
    """Return the entries that have no block yet, by id."""
    return Entry.objects.filter(id__gt=floor(last), link__isnull=True).order_by("id")


def chain_pending() -> int:
    """Gather waiting entries into blocks and return how many entries were taken.

    It never waits for writers: it reads the entries first and writes only the block and its links, in one
    short transaction. If another chainer made the same block in the meantime, the database refuses this one
    and the other is kept.
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
    """Append one block and return its number of entries, or None if there was nothing to do or another
    chainer was first.
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
    # The log keeps a copy of the head outside the database. It contradicts a rewritten chain.
    logger.info("journal.chained", sequence=block.sequence, hash=block.hash, entries=block.count)
    return len(entries)
