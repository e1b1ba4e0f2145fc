"""Deletes files of packs, by an administrator or after the configured days. The record of the pack
remains.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Final

import structlog
from django.conf import settings
from django.db import transaction

from iam.audit.evidence.models import EvidencePack, PackState
from iam.directory.models import AuditScope
from iam.guard import Right, Viewer
from iam.journal.services import record

logger = structlog.get_logger(__name__)
SETTING: Final = "The setting of days"


class RemovalRefusedError(Exception):
    """Raised if the file is kept; the message is a sentence."""


def may_remove(viewer: Viewer) -> bool:
    """True if the viewer can delete files of packs: administrators of all accounts. People who build evidence
    can't destroy it.
    """
    return viewer.may(Right.MANAGE_OPERATORS, account_id="")


def remove_file(pack: EvidencePack, *, actor: Viewer, now: datetime) -> None:
    """Delete the file and record it. Does nothing if it is already gone. Raises RemovalRefusedError."""
    if not may_remove(actor):
        raise RemovalRefusedError("Only an administrator of all accounts can delete packs.")
    if pack.state != PackState.DONE:
        raise RemovalRefusedError("Only a pack that is ready can be deleted.")
    _remove(pack, actor=actor, now=now)


def remove_old_files(*, now: datetime) -> int:
    """Delete files older than the setting, except those given to an auditor. Returns their number.

    Retries files that an earlier removal could not delete.
    """
    for pack in EvidencePack.objects.filter(removed_at__isnull=False).iterator():
        _unlink(pack)
    if not settings.EVIDENCE_DAYS:
        return 0
    chosen_packs = set(chain.from_iterable(AuditScope.objects.values_list("packs", flat=True)))
    before = now - timedelta(days=settings.EVIDENCE_DAYS)
    old = EvidencePack.objects.filter(state=PackState.DONE, removed_at=None, ended_at__lt=before)
    count = 0
    for pack in old.order_by("ended_at"):
        if str(pack.pk) not in chosen_packs:
            _remove(pack, actor=None, now=now)
            count += 1
    return count


def _remove(pack: EvidencePack, *, actor: Viewer | None, now: datetime) -> None:
    name = actor.name[:128] if actor else SETTING
    with transaction.atomic():
        rows = EvidencePack.objects.filter(pk=pack.pk, removed_at=None)
        if not rows.update(removed_at=now, removed_name=name):
            return
        record(
            kind="evidence.remove",
            actor=actor,
            subject=pack.title,
            data={"pack": pack.reference, "sha256": pack.sha256},
        )
        transaction.on_commit(partial(_unlink, pack))


def _unlink(pack: EvidencePack) -> None:
    try:
        pack.path.unlink(missing_ok=True)
    except OSError as error:
        logger.error("evidence.not_removed", pack=str(pack.pk), error=type(error).__name__)
