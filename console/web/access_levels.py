"""The access levels of AWS in plain words, for people who don't know AWS's terms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from iam.phrases import joined

PLAIN_VERBS: Final = {
    "list": "list",
    "read": "read",
    "write": "change",
    "perm": "manage permissions",
    "tag": "set labels",
}
"""By the key of a level, in AWS's order."""


def plain_words(keys: Iterable[str]) -> str:
    """'Can list, read and change'; "" for no level."""
    verbs = [PLAIN_VERBS[key] for key in keys]
    return f"Can {joined(verbs)}" if verbs else ""
