"""Exports and removes journal entries older than the setting, up to a signed anchor."""

from __future__ import annotations

import hashlib
import heapq
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from iam.audit.evidence.journal_excerpt import write_blocks
from iam.audit.evidence.pack_files import PackFiles
from iam.audit.retention.holds import KEPT_KINDS, PRUNED, RetentionHold, holds, last_sent_block
from iam.batches import batches
from iam.journal import triggers
from iam.journal.anchors import heads_of, read_all
from iam.journal.cuts import RemovedDigest, sign_cut
from iam.journal.models import Entry, JournalBlock, JournalCut, JournalLink
from iam.journal.services import Actor, record
from iam.journal.signing_keys import NoSigningKeyError, signer, verifiers
from iam.journal.verify import verify

logger = structlog.get_logger(__name__)
MOST: Final = 50_000
"""The number of entries removed per transaction, during which other writers wait."""
_DELETED_AT_ONCE: Final = 1_000


class RetentionRefusedError(Exception):
    """Raised if nothing was removed; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class RetentionPlan:
    """The entries that can be removed now: those before a moment, in blocks up to `block`. `hold` is the
    reason why newer ones are kept; None if only the setting limits it.
    """

    before: datetime
    block: int
    entries: int
    hold: RetentionHold | None


def retention_plan(*, now: datetime) -> RetentionPlan:
    """Return what a removal would do. Raises RetentionRefusedError without a setting or an anchor, or if an
    anchor or the chain can't be verified.
    """
    if not settings.JOURNAL_DAYS:
        raise RetentionRefusedError(
            "Entries are kept for ever. Set GATEHOUSE_JOURNAL_DAYS to remove older ones."
        )
    anchored = _anchored_block()
    due = now - timedelta(days=settings.JOURNAL_DAYS)
    oldest = next(iter(holds(now=now)), None)
    hold = oldest if oldest and oldest.since < due else None
    before = hold.since if hold else due
    last = JournalBlock.objects.filter(made_at__lt=before).order_by("-sequence").first()
    block = 0
    if last is not None:
        block = min(last.sequence, anchored)
    sent = last_sent_block()
    if sent is not None:
        block = min(block, sent)
    return RetentionPlan(before, block, _removable(before, block).count(), hold)


def prune(*, now: datetime, actor: Actor | None) -> list[JournalCut]:
    """Remove entries older than the setting, in rounds. Returns what each round removed. Raises
    RetentionRefusedError.
    """
    if not triggers.is_owner(connection):
        raise RetentionRefusedError(
            "Only the owner of the tables can remove entries. Run this with the DATABASE_URL of that role."
        )
    plan = retention_plan(now=now)
    cuts: list[JournalCut] = []
    while links := list(_removable(plan.before, plan.block)[:MOST]):
        cuts.append(_remove(links, before=plan.before, now=now, actor=actor))
    return cuts


def _anchored_block() -> int:
    """Return the newest block with a valid anchor, after verifying the whole chain against all anchors.
    Raises RetentionRefusedError.
    """
    read = read_all()
    heads = heads_of(read.notes, verifiers())
    problem = next(iter([*filter(None, [heads.conflict]), *heads.problems, *read.problems]), "")
    if problem:
        raise RetentionRefusedError(f"Nothing was removed, since an anchor isn’t verified. {problem}")
    if not heads.hashes:
        raise RetentionRefusedError(
            "Nothing was removed: no anchor was written yet. Entries are removed only up to a signed anchor."
        )
    verdict = verify(expect=heads.hashes)
    if verdict.broken:
        raise RetentionRefusedError(
            f"Nothing was removed, since the journal doesn’t verify. {verdict.broken.sentence}"
        )
    return max(heads.hashes)


def _removable(before: datetime, block: int) -> QuerySet[JournalLink]:
    rows = JournalLink.objects.filter(block_id__lte=block, entry__at__lt=before)
    return rows.exclude(entry__kind__in=KEPT_KINDS).order_by("block_id", "position")


def _remove(links: list[JournalLink], *, before: datetime, now: datetime, actor: Actor | None) -> JournalCut:
    """Export, then delete and record in one transaction, so that a verification never sees one without the
    other.
    """
    newest = JournalCut.objects.order_by("-pk").first()
    number = links[-1].block_id
    if newest is not None:
        number = max(number, newest.block)
    block = JournalBlock.objects.get(sequence=number)
    gone = RemovedDigest()
    for link in heapq.merge(_gone(), links, key=_place):
        gone.add(link)
    try:
        export = _export(links, before=before)
        cut = JournalCut(
            block=number,
            block_hash=block.hash,
            removed=gone.count,
            digest=gone.hexdigest(),
            note=sign_cut(block, gone, signer()),
            before=before,
            at=now,
            count=len(links),
            export=str(export),
            export_sha256=_sha256(export),
        )
    except NoSigningKeyError as error:
        raise RetentionRefusedError(str(error)) from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise RetentionRefusedError(f"Nothing was removed: the export couldn’t be written ({why}).") from None
    try:
        with transaction.atomic(), triggers.removal_allowed(connection):
            _delete([link.entry_id for link in links])
            cut.save(force_insert=True)
            record(
                kind=PRUNED,
                actor=actor,
                data={
                    "entries": len(links),
                    "from_block": links[0].block_id,
                    "to_block": links[-1].block_id,
                    "block_hash": block.hash,
                    "before": before,
                    "file": export.name,
                    "sha256": cut.export_sha256,
                },
            )
    except DatabaseError as error:
        logger.error("journal.not_pruned", error=type(error).__name__)
        raise RetentionRefusedError(
            f"Nothing more was removed: the database refused it ({type(error).__name__}). Try again."
        ) from error
    return cut


def _delete(numbers: list[int]) -> None:
    """Delete without the ORM, which would first collect related rows."""
    deleted = 0
    for batch in batches(numbers, _DELETED_AT_ONCE):
        entries = Entry.objects.filter(pk__in=batch)
        deleted += entries._raw_delete(entries.db)
    if deleted != len(numbers):
        raise RetentionRefusedError("Nothing was removed: another removal ran at the same time.")


def _gone() -> Iterator[JournalLink]:
    """Yield the links of entries that were removed earlier, in chain order."""
    rows = JournalLink.objects.filter(~Exists(Entry.objects.filter(pk=OuterRef("entry_id"))))
    return rows.order_by("block_id", "position").iterator(chunk_size=2_000)


def _place(link: JournalLink) -> tuple[int, int]:
    return link.block_id, link.position


def _export(links: list[JournalLink], *, before: datetime) -> Path:
    """Write the blocks of these entries as a pack that `verify_evidence.py` can verify."""
    first, last = links[0].block_id, links[-1].block_id
    numbers = [link.entry_id for link in links]
    folder = Path(settings.JOURNAL_EXPORTS)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"journal-{min(numbers):012d}-{max(numbers):012d}.zip"
    draft = target.with_name(f"{target.name}.{os.getpid()}.part")
    key = signer()
    about = {
        "format": "gatehouse-journal-1",
        "title": f"Entries of the journal before {before:%Y-%m-%d}",
        "before": before,
        "from_block": first,
        "to_block": last,
        "removed": len(links),
        "installation": settings.BASE_URL,
    }
    try:
        with PackFiles(draft, signer=key, about=about) as files:
            write_blocks(files, first, last, shows=lambda entry: True, signer=key)
        # Sync to disk before entries are deleted, so that a power failure can't take both.
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
