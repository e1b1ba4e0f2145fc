"""Builds a pack: claimed by one worker, streamed to a file, and renamed once complete."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from pathlib import Path
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from iam.audit.evidence.contents import PackScope, facts_of, sample_of, scope_of
from iam.audit.evidence.journal_excerpt import ExcerptScope, write_excerpt
from iam.audit.evidence.models import EvidencePack, PackState
from iam.audit.evidence.pack_files import PackFiles, write_tables
from iam.audit.evidence.pack_tables import tables_of
from iam.audit.evidence.packs import (
    FINAL,
    LEASE,
    PackOrder,
    as_of_for,
    check_order,
    may_request,
    new_pack,
    note_pack,
    unclaimed,
    visible_packs,
)
from iam.audit.evidence.tables import Progress
from iam.directory.models import Person
from iam.guard import Viewer, evidence_viewer, viewer_for
from iam.journal.signing_keys import NoSigningKeyError, signer

logger = structlog.get_logger(__name__)


def build_here(order: PackOrder, target: Path, *, viewer: Viewer) -> tuple[EvidencePack, dict[str, int]]:
    """Build a pack in this process, for the command line. Returns the unsaved pack and the number of rows by
    table.

    Raises PackRefusedError and NoSigningKeyError.
    """
    now = timezone.now()
    check_order(order, viewer)
    pack = new_pack(order, actor=viewer, now=now)
    return pack, build(pack, viewer, target, report=lambda _: None)


def run_pack(pack_id: UUID) -> None:
    """Build a pack that no other worker has claimed. Does nothing if it is gone or done."""
    now = timezone.now()
    rows = EvidencePack.objects.filter(pk=pack_id)
    claimed = rows.filter(unclaimed(now)).exclude(state__in=FINAL)
    if not claimed.update(lease_until=now + LEASE, state=PackState.BUILDING, as_of=now, rows=0):
        return
    pack = rows.get()
    person = Person.objects.filter(pk=pack.requested_by).first()
    viewer = evidence_viewer(viewer_for(person)) if person else None
    if viewer is None or not may_request(viewer) or not visible_packs(viewer).filter(pk=pack_id).exists():
        _fail(pack, "The person who requested it can’t build packs any more.")
        return

    pack.as_of = as_of_for(viewer.limits, now=now)
    pack.save(update_fields=["as_of"])

    def report(count: int) -> None:
        rows.update(rows=count, lease_until=timezone.now() + LEASE)

    try:
        counts = build(pack, viewer, pack.path, report=report)
    except NoSigningKeyError as error:
        _fail(pack, str(error))
        return
    except OSError as error:
        logger.error("evidence.not_written", pack=str(pack.pk), error=type(error).__name__)
        _fail(pack, f"The file couldn’t be written: {error.strerror or type(error).__name__}.")
        return
    digest, size = _digest(pack.path)
    with transaction.atomic():
        rows.update(
            state=PackState.DONE,
            ended_at=timezone.now(),
            lease_until=None,
            counts=counts,
            sha256=digest,
            size=size,
            rows=sum(counts.values()),
        )
        pack.refresh_from_db()
        note_pack(pack, "build", None)


def build(pack: EvidencePack, viewer: Viewer, target: Path, *, report: Progress) -> dict[str, int]:
    """Write a pack to a file that exists only once complete. Returns the number of rows by table."""
    as_of = pack.as_of or timezone.now()
    scope = scope_of(pack, viewer)
    sample = sample_of(pack, scope)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.{os.getpid()}.part")
    key = signer()
    excerpt = ExcerptScope(pack.since, pack.until, scope.journal)
    try:
        with PackFiles(draft, signer=key, about=_about(pack, scope, as_of)) as files:
            counts = write_tables(
                files,
                tables_of(pack, scope, sample, as_of=as_of),
                title=pack.title,
                facts=facts_of(pack, scope, sample),
                as_of=as_of,
                report=report,
            )
            counts["journal"] = write_excerpt(files, excerpt, signer=key).entries
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return counts


def _about(pack: EvidencePack, scope: PackScope, as_of: datetime) -> dict[str, object]:
    return {
        "format": "gatehouse-evidence-1",
        "pack": pack.reference,
        "kind": pack.kind,
        "subject": pack.subject,
        "title": pack.title,
        "accounts": [account.account_id for account in scope.accounts],
        "since": pack.since,
        "until": pack.until,
        "as_of": as_of,
        "seed": pack.seed,
        "requested_by": pack.requested_name,
        "installation": settings.BASE_URL,
    }


def _fail(pack: EvidencePack, why: str) -> None:
    EvidencePack.objects.filter(pk=pack.pk).update(
        state=PackState.FAILED, ended_at=timezone.now(), lease_until=None, error=why
    )


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
