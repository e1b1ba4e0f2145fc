"""A folder into which trail files are delivered: by the stand-in, or by a copy of an S3 bucket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from iam.activity.ingest import Delivery, IngestReport, deliveries_in, files_in, ingest
from iam.activity.models import TrailFile

SOURCE: Final = "folder"
NAMES_AT_ONCE: Final = 500


def read_folder(folder: Path) -> IngestReport:
    """Store the files of a folder whose names were not read before. A file that vanishes meanwhile is left
    out.
    """
    return ingest(_unread(folder), SOURCE)


def _unread(folder: Path) -> Iterator[Delivery]:
    paths = files_in([folder])
    for start in range(0, len(paths), NAMES_AT_ONCE):
        part = {str(path): path for path in paths[start : start + NAMES_AT_ONCE]}
        known = TrailFile.objects.filter(source=SOURCE, name__in=list(part)).values_list("name", flat=True)
        for name in part.keys() - set(known):
            try:
                yield from deliveries_in([part[name]])
            except FileNotFoundError:
                continue
