"""Reads a folder into which trail files are delivered, by the stand-in or by a copy of an S3 bucket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from iam.activity.ingest import (
    NAME_LENGTH,
    DeliveredFile,
    IngestReport,
    deliveries_in,
    files_in,
    ingest,
    name_of,
    unread_digest,
)
from iam.activity.models import TrailFile
from iam.batches import batches

SOURCE: Final = "folder"
NAMES_AT_ONCE: Final = 500


def read_folder(folder: Path) -> IngestReport:
    """Store the files of a folder that were not read before. A file that could not be opened is retried when
    it has changed.
    """
    return ingest(_unread(folder), SOURCE)


def _unread(folder: Path) -> Iterator[DeliveredFile]:
    files = files_in([folder])
    for batch in batches(files, NAMES_AT_ONCE):
        part = {name_of(file.path)[-NAME_LENGTH:]: file for file in batch}
        rows = TrailFile.objects.filter(source=SOURCE, name__in=list(part))
        known = set[str]()
        for name, digest, read_at in rows.values_list("name", "digest", "read_at"):
            path = part[name].path
            if digest != unread_digest(name_of(path)) or not _has_changed(path, read_at):
                known.add(name)
        yield from deliveries_in(file for name, file in part.items() if name not in known)


def _has_changed(path: Path, since: datetime) -> bool:
    """Return True if a file was written, replaced or given another owner since a time."""
    try:
        return path.lstat().st_ctime > since.timestamp()
    except OSError:
        return False
