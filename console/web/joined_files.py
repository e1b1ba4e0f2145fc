"""The stylesheet and the script that pages load, joined from their parts when somebody looks for them."""

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
"""What makes the text of each, by its address below `STATIC_URL`."""


class JoinedFolder(FileSystemStorage):
    """A folder of the data folder that holds the joined files, written when somebody looks for one."""

    def __init__(self) -> None:
        super().__init__(settings.VAR / "joined")

    def exists(self, name: str) -> bool:
        self._write()
        return super().exists(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """With the compressed files in the embedded default alone, where the server takes them from here;
        `collectstatic` makes its own.
        """
        self._write()
        folders, files = super().listdir(path)
        return folders, [name for name in files if settings.EMBEDDED or not name.endswith(".gz")]

    def _write(self) -> None:
        """Several processes start at once: each sees whole files, and unchanged ones keep their time. A
        compressed file is written first, so that it is never older than the other.
        """
        for name, make in JOINED.items():
            path, text = Path(self.path(name)), make().encode()
            compressed = path.with_name(f"{path.name}.gz")
            if path.exists() and compressed.exists() and path.read_bytes() == text:
                continue
            _write_whole(compressed, gzip.compress(text, mtime=0))
            _write_whole(path, text)


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file that nobody sees half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=settings.VAR, prefix="joined-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(beside).chmod(0o600)
    Path(beside).replace(path)


class JoinedFiles(BaseStorageFinder):
    """Finds the joined files, for the embedded server and for `collectstatic`."""

    def __init__(self) -> None:
        super().__init__(JoinedFolder())
