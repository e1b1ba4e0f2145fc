"""The access levels of AWS in plain words, for people who don't know AWS's terms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from iam.phrases import joined
from iam.policy.catalogue import AccessLevel

PLAIN_VERBS: Final = {
    AccessLevel.LIST: "list",
    AccessLevel.READ: "read",
    AccessLevel.WRITE: "change",
    AccessLevel.PERMISSIONS: "manage permissions",
    AccessLevel.TAGGING: "set labels",
}


def plain_words(levels: Iterable[AccessLevel]) -> str:
    """'Can list, read and change'; "" for no level."""
    verbs = [PLAIN_VERBS[level] for level in levels]
    return f"Can {joined(verbs)}" if verbs else ""
