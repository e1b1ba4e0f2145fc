"""What the tables of a test run are made from, and a key that is another as soon as any of it is."""

from __future__ import annotations

import ast
import hashlib
import re
import sqlite3
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

PACKAGES: Final = ("console", "iam")
BESIDE: Final = ("console/settings.py", "tests/services/tables.py", "tests/services/table_sources.py")
"""Which applications there are, and how their tables are made and kept."""
OF_PRODUCT: Final = re.compile(r"^\s*(?:from|import)\s+(?:console|iam)\b", re.MULTILINE)
"""A file without such a line need not be parsed."""


def sources(root: Path) -> list[Path]:
    """Migrations, what they import, the data beside it, models, and what applications do after migrations."""
    starts = _files(root, "migrations/*.py")
    modules = _imported(root, starts)
    data = {path for module in modules for path in module.parent.rglob("*") if _is_data(path)}
    declared = {*_files(root, "models.py"), *_files(root, "models/*.py"), *_files(root, "apps.py")}
    return sorted({*modules, *data, *declared, *(root / name for name in BESIDE)})


def key(root: Path, *beside: str) -> str:
    """Differs with each source, the installed packages and Python, and what else is named.

    It differs by the day as well: what migrations write is dated.
    """
    installed = sorted(path.name for path in Path(sysconfig.get_path("purelib")).glob("*.dist-info"))
    today = datetime.now(tz=UTC).date().isoformat()
    versions = [sys.version, sqlite3.sqlite_version, *installed, today, *beside]
    digest = hashlib.sha256("\n".join(versions).encode())
    for path in sources(root):
        digest.update(f"\n{path.relative_to(root)}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:20]


def _files(root: Path, pattern: str) -> list[Path]:
    return [path for package in PACKAGES for path in (root / package).rglob(pattern)]


def _is_data(path: Path) -> bool:
    return path.is_file() and path.suffix not in {".py", ".pyc"}


def _imported(root: Path, starts: Iterable[Path]) -> set[Path]:
    """These modules, and all of the product that they import, wherever in the file."""
    modules: set[Path] = set()
    queue = list(starts)
    while queue:
        module = queue.pop()
        if module not in modules:
            modules.add(module)
            queue += _imports(root, module)
    return modules


def _imports(root: Path, module: Path) -> Iterator[Path]:
    text = module.read_text(encoding="utf-8")
    if not OF_PRODUCT.search(text):
        return
    for node in ast.walk(ast.parse(text)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name.partition(".")[0] in PACKAGES:
                path = root.joinpath(*name.split("."))
                packages = [path, *path.parents][: name.count(".") + 1]
                candidates = [path.with_suffix(".py"), *(package / "__init__.py" for package in packages)]
                yield from filter(Path.is_file, candidates)
