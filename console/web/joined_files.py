"""Serves the joined stylesheet and script, which are built from their parts on demand."""

from __future__ import annotations

import gzip
import os
import tempfile
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.staticfiles.finders import BaseStorageFinder
from django.core.files.storage import FileSystemStorage

from console.web import script, stylesheet

JOINED: Final = {stylesheet.NAME: stylesheet.joined, script.NAME: script.joined}
"""Function that builds the text of each file, by its address below `STATIC_URL`."""


class JoinedFolder(FileSystemStorage):
    """Storage in the data folder for the joined files, which are written on access."""

    def __init__(self) -> None:
        super().__init__(settings.VAR / "joined")

    def exists(self, name: str) -> bool:
        self._write()
        return super().exists(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """List the files; compressed ones only in the embedded default, whose server reads them from here.

        `collectstatic` makes its own compressed files.
        """
        self._write()
        folders, files = super().listdir(path)
        return folders, [name for name in files if settings.EMBEDDED or not name.endswith(".gz")]

    def _write(self) -> None:
        """Write the joined files that changed.

        Several processes may start at once, so each file is replaced atomically, and unchanged files keep
        their time. The compressed file is written first, so that it is never older than the other.
        """
        for name, make in JOINED.items():
            path, text = Path(self.path(name)), make().encode()
            compressed = path.with_name(f"{path.name}.gz")
            if path.exists() and compressed.exists() and path.read_bytes() == text:
                continue
            _write_whole(compressed, gzip.compress(text, mtime=0))
            _write_whole(path, text)


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=settings.VAR, prefix="joined-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(beside).chmod(0o600)
    Path(beside).replace(path)


class JoinedFiles(BaseStorageFinder):
    """Static files finder for the joined files, used by the embedded server and `collectstatic`."""

    def __init__(self) -> None:
        super().__init__(JoinedFolder())
