"""Identifies the code of a calculation, because an upgrade can lead to other paths."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

from iam import policy

ENDINGS: Final = frozenset({".py", ".toml", ".pack"})
OWN: Final = Path(__file__).parent


@cache
def code_version() -> str:
    """A digest of the engine with its data, and of the code that explains and groups paths."""
    digest = blake2b(digest_size=16)
    folders = (Path(policy.__file__ or "").parent, OWN)
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.suffix in ENDINGS):
            digest.update(str(path.relative_to(folder)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
