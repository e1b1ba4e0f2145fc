"""One stylesheet: the parts in `static/css` are joined in their order, so that a first visit waits for one
file and not for thirty.
"""

from __future__ import annotations

import gzip
import os
import re
import tempfile
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.staticfiles.finders import BaseStorageFinder
from django.core.files.storage import FileSystemStorage

NAME: Final = "css/gatehouse.css"
"""The address of the joined stylesheet below `STATIC_URL`."""
COMPONENTS: Final = (
    "buttons",
    "marks",
    "surfaces",
    "tables",
    "filters",
    "forms",
    "meters",
    "wizard",
    "diff",
    "timeline",
    "explain",
    "runs",
    "overlays",
    "history",
    "pages",
    "auth",
    "choose",
    "builder",
    "policy",
    "past",
    "account",
    "solo",
)
"""Later components may rely on what earlier ones say."""
PARTS: Final = (
    "tokens.css",
    "base.css",
    "layout.css",
    *(f"components/{name}.css" for name in COMPONENTS),
    "utilities.css",
)
_FROM_A_COMPONENT: Final = re.compile(r"url\((\"?)\.\./\.\./")


def joined() -> str:
    """The text of all parts; addresses of other files are relative to `css/`."""
    folder = settings.BASE_DIR / "static" / "css"
    texts = ((folder / part).read_text(encoding="utf-8") for part in PARTS)
    return "\n".join(_FROM_A_COMPONENT.sub(r"url(\1../", text) for text in texts)


class Joined(FileSystemStorage):
    """A folder of the data folder that holds the joined stylesheet, written when somebody looks for it."""

    def __init__(self) -> None:
        super().__init__(settings.VAR / "stylesheet")

    def exists(self, name: str) -> bool:
        self._write()
        return super().exists(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """With the compressed file in the embedded default alone, where the server takes it from here;
        `collectstatic` makes its own.
        """
        self._write()
        folders, files = super().listdir(path)
        return folders, [name for name in files if settings.EMBEDDED or not name.endswith(".gz")]

    def _write(self) -> None:
        """Several processes start at once: each sees whole files, and unchanged ones keep their time. The
        compressed file is written first, so that it is never older than the other.
        """
        path, text = Path(self.path(NAME)), joined().encode()
        if path.exists() and path.with_suffix(".css.gz").exists() and path.read_bytes() == text:
            return
        _place(path.with_suffix(".css.gz"), gzip.compress(text, mtime=0))
        _place(path, text)


def _place(path: Path, content: bytes) -> None:
    """Write a file that nobody sees half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=settings.VAR, prefix="stylesheet-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(beside).chmod(0o600)
    Path(beside).replace(path)


class JoinedStylesheet(BaseStorageFinder):
    """Finds the joined stylesheet, for the embedded server and for `collectstatic`."""

    def __init__(self) -> None:
        super().__init__(Joined())
