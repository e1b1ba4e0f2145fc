"""The head of the chain, kept in a file that web processes and workers share. A database that is behind it
was restored from a backup.
"""

from __future__ import annotations

import os
from pathlib import Path

import structlog
from django.conf import settings

from iam.journal.models import JournalBlock

logger = structlog.get_logger(__name__)


def _file() -> Path:
    return Path(settings.VAR) / "journal_head"


def note_head() -> None:
    """Write number and hash of the newest block to the file. A full disk only costs the comparison at the
    next start.
    """
    last = JournalBlock.objects.order_by("-sequence").first()
    if last is None:
        return
    draft = _file().with_name(f"journal_head.{os.getpid()}")
    try:
        draft.write_text(f"{last.sequence}:{last.hash}", encoding="utf-8")
        draft.replace(_file())
    except OSError as error:
        draft.unlink(missing_ok=True)
        logger.error("journal.head_not_kept", error=type(error).__name__)


def is_behind() -> bool:
    """Return True if the database lacks the recorded block or has a different one in its place. A database
    without any block is new, not restored.
    """
    try:
        number, _, digest = _file().read_text(encoding="utf-8").strip().partition(":")
    except OSError:
        return False
    if not number.isdecimal():
        return False
    kept = JournalBlock.objects.filter(sequence=int(number), hash=digest)
    return JournalBlock.objects.exists() and not kept.exists()
