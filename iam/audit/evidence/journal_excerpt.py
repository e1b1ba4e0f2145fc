"""Writes the journal excerpt of a pack: whole blocks, so that the hash chain can be recomputed.

It has the text of entries that the reader can see, and only the hashes of the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Max, Min

from iam.audit.evidence.pack_files import PackFiles
from iam.audit.evidence.verify_evidence import BLOCKS, CHECKPOINT, ENTRIES
from iam.journal.anchors import checkpoint_text
from iam.journal.chain import canonical, canonical_json, chain_pending, members_of, stamp
from iam.journal.models import Entry, JournalBlock, JournalLink
from iam.journal.signed_notes import NoteSigner

CHUNK: Final = 2_000


@dataclass(frozen=True, slots=True)
class ExcerptScope:
    """The entries to show, by period and accounts (None: all, including those without an account)."""

    since: datetime
    until: datetime
    accounts: frozenset[str] | None

    def shows(self, entry: Entry) -> bool:
        """True if the pack includes the text of this entry."""
        is_within = self.since <= entry.at < self.until
        return is_within and (self.accounts is None or entry.account_id in self.accounts)


@dataclass(frozen=True, slots=True)
class ExcerptSize:
    """The number of blocks, entries, and entries with text."""

    blocks: int
    entries: int
    shown: int


def write_excerpt(files: PackFiles, scope: ExcerptScope, *, signer: NoteSigner) -> ExcerptSize:
    """Write blocks, entries and the signed end of the excerpt; nothing if the journal has no block yet."""
    while chain_pending():
        pass
    first, last = _range(scope)
    return write_blocks(files, first, last, shows=scope.shows, signer=signer)


def write_blocks(
    files: PackFiles, first: int, last: int, *, shows: Callable[[Entry], bool], signer: NoteSigner
) -> ExcerptSize:
    """Write a range of blocks, with the text of the entries to show."""
    if not last:
        return ExcerptSize(0, 0, 0)
    blocks = JournalBlock.objects.filter(sequence__gte=first, sequence__lte=last).order_by("sequence")
    end = blocks.last()
    count = 0
    with files.text(BLOCKS) as file:
        for block in blocks.iterator(chunk_size=CHUNK):
            file.write(canonical_json(_header(block)) + "\n")
            count += 1
    entries, shown = _write_entries(files, shows, first=first, last=last)
    if end is not None:
        with files.text(CHECKPOINT) as file:
            file.write(signer.sign(checkpoint_text(end, origin=signer.name)))
    return ExcerptSize(count, entries, shown)


def _range(scope: ExcerptScope) -> tuple[int, int]:
    """The first and last block with entries of the period; if there are none, the last block before it."""
    within = JournalLink.objects.filter(entry__at__gte=scope.since, entry__at__lt=scope.until)
    bounds = within.aggregate(first=Min("block_id"), last=Max("block_id"))
    if bounds["last"]:
        return bounds["first"], bounds["last"]
    before = JournalBlock.objects.filter(made_at__lt=scope.until).order_by("-sequence").first()
    number = before.sequence if before else 0
    return number, number


def _header(block: JournalBlock) -> dict[str, object]:
    return {
        "sequence": block.sequence,
        "previous": block.previous,
        "hash": block.hash,
        "made_at": stamp(block.made_at),
        "count": block.count,
        "total": block.total,
        "highest": block.highest,
    }


def _write_entries(
    files: PackFiles, shows: Callable[[Entry], bool], *, first: int, last: int
) -> tuple[int, int]:
    count = shown = 0
    links = JournalLink.objects.filter(block_id__gte=first, block_id__lte=last).order_by(
        "block_id", "position"
    )
    with files.text(ENTRIES) as file:
        for member in members_of(links):
            link, entry = member.link, member.entry
            line: dict[str, object] = {"block": link.block_id, "position": link.position, "hash": link.hash}
            # Entries removed by the retention have only their hash.
            if entry is not None and shows(entry):
                line["canonical"] = canonical(entry)
                shown += 1
            file.write(canonical_json(line) + "\n")
            count += 1
    return count, shown
