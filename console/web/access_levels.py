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


DATABASE_SIGN_IN: Final = "rds-db"
"""The service in which AWS counts signing in to a database as managing permissions."""


def plain_words(levels: Iterable[AccessLevel], *, service: str = "") -> str:
    """'Can list, read and change'; "" for no level."""
    verbs = [_verb(level, service) for level in levels]
    return f"Can {joined(verbs)}" if verbs else ""


def plain_label(level: AccessLevel, *, service: str = "") -> str:
    """'Read' or 'Manage permissions', for a choice or a column."""
    return _verb(level, service).capitalize()


def _verb(level: AccessLevel, service: str) -> str:
    if service == DATABASE_SIGN_IN and level is AccessLevel.PERMISSIONS:
        return "sign in"
    return PLAIN_VERBS[level]
