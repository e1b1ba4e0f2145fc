"""Recomputes the whole chain and reports the first place where it is broken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

import structlog
from django.db import connection
from django.db.models import Exists, Min, OuterRef

from iam.journal import clock, triggers
from iam.journal.anchors import heads_of, read_all
from iam.journal.chain import (
    GENESIS,
    LATE_ENTRY_WINDOW,
    ChainMember,
    block_hash,
    entry_hash,
    floor,
    members_of,
    unchained,
)
from iam.journal.cuts import CutState, RemovedDigest, newest_cut
from iam.journal.frozen_records import verify_records
from iam.journal.models import Entry, JournalBlock, JournalLink, JournalVerification
from iam.journal.services import Actor, record
from iam.journal.signing_keys import verifiers
from iam.moments import second_words

# Clocks of several hosts differ slightly.
CLOCKS = timedelta(minutes=5)
GIVE_UP = timedelta(hours=1)
KEEP = 100
ACKNOWLEDGED = "journal.dating_acknowledged"
_PAGE = 500
logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """A place where the chain is broken: a sentence, with the block and the entry if they are known."""

    sentence: str
    block: int | None = None
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class TimestampMismatch:
    """Entries in a block with a time that doesn't fit the block: a clock was wrong, or they were dated
    falsely. This doesn't break the chain.
    """

    sentence: str
    block: int
    entries: tuple[int, ...]
    acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """The result of a verification. `tail` is the number of entries without a block, the oldest from
    `tail_since`. `removed` is the number of `entries` that retention has removed.
    """

    broken: ChainBreak | None
    blocks: int
    entries: int
    head: str
    head_sequence: int
    head_at: datetime | None
    tail: int
    tail_since: datetime | None
    seconds: float
    dating: tuple[TimestampMismatch, ...] = ()
    removed: int = 0

    @property
    def is_intact(self) -> bool:
        """True if every block and every entry is unaltered."""
        return self.broken is None

    @property
    def open_warnings(self) -> tuple[TimestampMismatch, ...]:
        """The dating problems that have not been acknowledged."""
        return tuple(warning for warning in self.dating if not warning.acknowledged)

    def tail_age(self, *, now: datetime | None = None) -> float:
        """Return for how many seconds the oldest unchained entry has waited."""
        return ((now or clock.now()) - self.tail_since).total_seconds() if self.tail_since else 0.0


def verify(*, expect: Mapping[int, str] | None = None) -> ChainVerdict:
    """Recompute everything from the first block. `expect` maps block numbers to hashes that were recorded
    earlier in another place, such as in anchors.

    Only `expect` reveals that someone with write access to the database cut off the end of the chain and
    rebuilt it.
    """
    expect = expect or {}
    began = datetime.now(tz=UTC)
    broken: ChainBreak | None = None
    previous: JournalBlock | None = None
    blocks = entries = 0
    dating: list[TimestampMismatch] = []
    acknowledged = _acknowledged_blocks()
    cut = newest_cut(verifiers())
    gone = RemovedDigest()
    for block, members in _blocks():
        broken = _check_block(block, members, previous, cut=cut) or _check_expected(block, expect)
        broken = broken or _check_cut(block, members, cut=cut, gone=gone)
        if broken:
            break
        dating += _check_dates(block, members, previous, acknowledged=acknowledged)
        previous, blocks, entries = block, blocks + 1, entries + len(members)
    # Foreign objects on the tables come first, because they explain the other breaks.
    broken = _check_foreign() or broken or _check_reached(previous, expect) or _check_strays(previous)
    broken = broken or _check_cut_reached(previous, cut, expect)
    waiting = unchained(previous) if not broken else Entry.objects.filter(link__isnull=True)
    tail = waiting.aggregate(since=Min("at"))
    head, head_sequence, head_at = GENESIS, 0, None
    if previous:
        head, head_sequence, head_at = previous.hash, previous.sequence, previous.made_at
    return ChainVerdict(
        broken=broken,
        blocks=blocks,
        entries=entries,
        head=head,
        head_sequence=head_sequence,
        head_at=head_at,
        tail=waiting.count(),
        tail_since=tail["since"],
        seconds=(datetime.now(tz=UTC) - began).total_seconds(),
        dating=tuple(dating),
        removed=gone.count,
    )


def ask_for_verification() -> JournalVerification:
    """Request a recomputation, which a task performs, and return its row. A recent request that hasn't ended
    is reused.
    """
    waiting = JournalVerification.objects.filter(
        ended_at=None, asked_at__gt=datetime.now(tz=UTC) - GIVE_UP
    ).first()
    return waiting or JournalVerification.objects.create(asked_at=datetime.now(tz=UTC))


def withdraw_verification(asked: JournalVerification) -> None:
    """Delete a verification that could not be queued. Otherwise later requests would wait for it."""
    JournalVerification.objects.filter(pk=asked.pk, began_at=None).delete()


def run_verification(number: int) -> None:
    """Recompute the chain for this row and store the result. A row that is already running is left alone."""
    began = datetime.now(tz=UTC)
    if not JournalVerification.objects.filter(pk=number, began_at=None).update(began_at=began):
        return
    read = read_all()
    heads = heads_of(read.notes, verifiers())
    verdict = verify(expect=heads.hashes)
    problems = [*filter(None, [heads.conflict]), *heads.problems, *read.problems]
    records = verify_records()
    sentence = verdict.broken.sentence[:1024] if verdict.broken else ""
    first_warning = verdict.open_warnings[0].sentence if verdict.open_warnings else ""
    JournalVerification.objects.filter(pk=number).update(
        ended_at=datetime.now(tz=UTC),
        holds=verdict.is_intact,
        sequence=verdict.head_sequence,
        entries=verdict.entries,
        sentence=sentence,
        warnings=len(verdict.open_warnings),
        warning=first_warning,
        anchors=len(heads.hashes),
        anchor_problem="".join(problems[:1])[:1024],
        records=records.compared,
        record_problem="".join(records.problems[:1])[:1024],
        record_problems=len(records.problems),
    )
    if records.problems:
        logger.error("journal.record_altered", sentence=records.problems[0], count=len(records.problems))
    if verdict.broken:
        logger.error("journal.broken", sentence=verdict.broken.sentence, block=verdict.broken.block)
    old = JournalVerification.objects.order_by("-id").values_list("pk", flat=True)[KEEP : KEEP + 1]
    JournalVerification.objects.filter(pk__lte=max(old, default=0)).delete()


def _blocks() -> Iterator[tuple[JournalBlock, list[ChainMember]]]:
    """Yield each block with its members. Each query reads some hundred blocks."""
    after = 0
    while page := list(JournalBlock.objects.filter(sequence__gt=after).order_by("sequence")[:_PAGE]):
        after = page[-1].sequence
        links = JournalLink.objects.filter(block_id__gte=page[0].sequence, block_id__lte=after).order_by(
            "block_id", "position", "entry_id"
        )
        grouped = groupby(members_of(links), key=lambda member: member.link.block_id)
        number, members = next(grouped, (None, iter(())))
        for block in page:
            mine: list[ChainMember] = []
            if number == block.sequence:
                mine = list(members)
                number, members = next(grouped, (None, iter(())))
            yield block, mine


def _check_block(
    block: JournalBlock, members: list[ChainMember], previous: JournalBlock | None, *, cut: CutState
) -> ChainBreak | None:
    number = block.sequence
    due = previous.sequence + 1 if previous else 1
    if number != due:
        return ChainBreak(f"Block {due} is gone: block {number} comes in its place.", block=due)
    if block.previous != (previous.hash if previous else GENESIS):
        return ChainBreak(f"Block {number} does not continue the block before it.", block=number)
    if block.count != len(members):
        return ChainBreak(
            f"Block {number} was made with {block.count} entries and has {len(members)}.", block=number
        )
    for member in members:
        entry_id = member.link.entry_id
        if member.entry is None:
            if not cut.covers(block):
                sentence = cut.problem or f"Entry {entry_id} is gone."
                return ChainBreak(sentence, block=number, entry=entry_id)
        elif entry_hash(member.entry) != member.link.hash:
            return ChainBreak(f"Entry {entry_id} was changed.", block=number, entry=entry_id)
    if block.total != (previous.total if previous else 0) + block.count:
        return ChainBreak(f"Block {number} counts the entries before it wrongly.", block=number)
    if block_hash(block, [member.link.hash for member in members]) != block.hash:
        return ChainBreak(
            f"Block {number} does not match its hash: it was changed, or its entries were exchanged or "
            "reordered.",
            block=number,
        )
    return None


def _check_cut(
    block: JournalBlock, members: list[ChainMember], *, cut: CutState, gone: RemovedDigest
) -> ChainBreak | None:
    """Count the removed entries, and compare them with the signed record at the last block that lacks
    entries.
    """
    if cut.cut is None or not cut.covers(block):
        return None
    for member in members:
        if member.entry is None:
            gone.add(member.link)
    if block.sequence < cut.cut.block:
        return None
    if block.hash != cut.cut.block_hash:
        return ChainBreak("The record of removed entries is of another chain.", block=block.sequence)
    if gone.count != cut.cut.removed:
        return ChainBreak(
            f"{gone.count:,} entries are gone up to block {block.sequence}, and the record names "
            f"{cut.cut.removed:,}.",
            block=block.sequence,
        )
    if gone.hexdigest() != cut.cut.digest:
        return ChainBreak(
            f"Other entries are gone up to block {block.sequence} than the record names.",
            block=block.sequence,
        )
    return None


def _check_cut_reached(
    last: JournalBlock | None, cut: CutState, expect: Mapping[int, str]
) -> ChainBreak | None:
    """Return the break if the record of removed entries is invalid or reaches beyond the end of the chain or
    beyond its anchors.
    """
    if cut.cut is None:
        return None
    number = cut.cut.block
    if cut.problem:
        return ChainBreak(cut.problem, block=number)
    if last is None or last.sequence < number:
        return ChainBreak(f"Block {number}, up to which entries were removed, is gone.", block=number)
    if expect and max(expect) < number:
        return ChainBreak(
            f"Entries were removed up to block {number}, beyond the newest anchor.", block=number
        )
    return None


def _check_dates(
    block: JournalBlock,
    members: list[ChainMember],
    previous: JournalBlock | None,
    *,
    acknowledged: Mapping[int, int],
) -> list[TimestampMismatch]:
    """Return at most one warning, about entries dated well before the previous block or after their own
    block. Entries and blocks now both take their time from the database's clock; older ones took it from
    hosts.
    """
    earliest = previous.made_at - LATE_ENTRY_WINDOW - CLOCKS if previous else None
    latest = block.made_at + CLOCKS
    entries = [member.entry for member in members if member.entry is not None]
    wrong = [entry for entry in entries if (earliest and entry.at < earliest) or entry.at > latest]
    if not wrong:
        return []
    first = wrong[0]
    others = f" So do {len(wrong) - 1} more entries of block {block.sequence}." if len(wrong) > 1 else ""
    return [
        TimestampMismatch(
            f"Entry {first.id} says {second_words(first.at)} but was added about "
            f"{second_words(block.made_at)}.{others}",
            block=block.sequence,
            entries=tuple(entry.id for entry in wrong),
            acknowledged=_is_acknowledged(
                acknowledged.get(block.sequence, 0), len(wrong), is_whole=len(entries) == len(members)
            ),
        )
    ]


def _is_acknowledged(known: int, wrong: int, *, is_whole: bool) -> bool:
    """Compare the acknowledged number with the number of wrongly dated entries. In a block with removed
    entries, fewer can be left.
    """
    return known == wrong if is_whole else known >= wrong


def acknowledge(verdict: ChainVerdict, *, actor: Actor | None, reason: str) -> int:
    """Record that the open dating problems were reviewed and why they are harmless. Returns their number."""
    warnings = verdict.open_warnings
    if warnings:
        blocks = {str(warning.block): len(warning.entries) for warning in warnings}
        record(kind=ACKNOWLEDGED, actor=actor, data={"reason": reason, "blocks": blocks})
    return len(warnings)


def _acknowledged_blocks() -> dict[int, int]:
    """Return the acknowledged number of wrongly dated entries per block. An acknowledgment counts only if it
    is in a later block.
    """
    known: dict[int, int] = {}
    for entry in Entry.objects.filter(kind=ACKNOWLEDGED).select_related("link").order_by("id"):
        link = getattr(entry, "link", None)
        for number, count in entry.data.get("blocks", {}).items():
            if link is None or link.block_id > int(number):
                known[int(number)] = count
    return known


def _check_expected(block: JournalBlock, expect: Mapping[int, str]) -> ChainBreak | None:
    if expect.get(block.sequence, block.hash) != block.hash:
        return ChainBreak(f"Block {block.sequence} is not the one that was noted down.", block=block.sequence)
    return None


def _check_reached(last: JournalBlock | None, expect: Mapping[int, str]) -> ChainBreak | None:
    end = last.sequence if last else 0
    gone = [number for number in expect if number > end]
    if not gone:
        return None
    first = min(gone)
    return ChainBreak(f"Block {first}, which was noted down, is gone: the end was cut off.", block=first)


def _check_foreign() -> ChainBreak | None:
    """Return a break if there are foreign objects on the tables, because they can falsify what is read."""
    intruders = triggers.foreign(connection)
    if not intruders:
        return None
    return ChainBreak(
        "The journal’s tables have foreign objects, so what is read can’t be trusted: "
        f"{', '.join(intruders)}."
    )


def _check_strays(last: JournalBlock | None) -> ChainBreak | None:
    """Return a break for rows that no block accounts for: links without a block, and entries inserted below
    the chained ones.
    """
    known = JournalBlock.objects.filter(sequence=OuterRef("block_id"))
    link = JournalLink.objects.filter(~Exists(known)).order_by("block_id", "position").first()
    if link:
        return ChainBreak(
            f"Block {link.block_id}, which holds entry {link.entry_id}, is gone.",
            block=link.block_id,
            entry=link.entry_id,
        )
    stray = Entry.objects.filter(id__lte=floor(last), link__isnull=True).order_by("id").first()
    if stray:
        return ChainBreak(
            f"Entry {stray.id} was put in below entries that were chained before it.", entry=stray.id
        )
    return None
