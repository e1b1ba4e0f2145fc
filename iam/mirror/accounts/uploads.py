"""Uploaded files on their way to the worker: private, with generated names, deleted afterwards."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from django.conf import settings

EXPORT = "json"
REPORT = "csv"
_STALE_SECONDS = 24 * 3600


def limit_bytes() -> int:
    """Return the maximum size of an upload in bytes."""
    return int(settings.UPLOAD_MEGABYTES) * 1024 * 1024


def folder() -> Path:
    """Return the folder where uploads wait. Web processes and workers must share it."""
    path = Path(settings.VAR) / "uploads"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def path_of(job_id: UUID | str, *, part: str) -> Path:
    """Return the path of a job's file. It never contains a name from outside."""
    return folder() / f"{job_id}.{part}"


def store(job_id: UUID, chunks: Iterable[bytes], *, part: str) -> int:
    """Write a file that only this user can read, and return its size in bytes."""
    size = 0
    path = path_of(job_id, part=part)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                size += len(chunk)
                file.write(chunk)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return size


def is_disk_full(error: OSError) -> bool:
    """Return True if a file could not be written because the disk is full."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def remove(job_id: UUID | str) -> None:
    """Remove the files of a job, if they exist."""
    for part in (EXPORT, REPORT):
        path_of(job_id, part=part).unlink(missing_ok=True)


def remove_stale(*, keep: set[str]) -> int:
    """Remove files older than a day without a job in `keep`, and return how many."""
    removed = 0
    for path in folder().iterdir():
        old = time.time() - path.stat().st_mtime > _STALE_SECONDS
        if old and path.stem not in keep:
            path.unlink(missing_ok=True)
            removed += 1
    return removed
