"""The access-level bar: the share and number of allowed actions per access level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from console.web.access_levels import plain_words
from iam.access.actions import LEVELS
from iam.policy.catalogue import AccessLevel
from iam.policy.index.counts import ActionCount

KEYS: Final = {level: key for key, level in LEVELS.items()}
QUARTERS: Final = 4
NONE: Final = ActionCount(0, 0, 0, 0)


def quarters(part: int, whole: int) -> int:
    """Return how many quarters of the bar are filled: 4 only if all are allowed, 0 only if none is."""
    if not part or not whole:
        return 0
    if part >= whole:
        return QUARTERS
    return min(QUARTERS - 1, max(1, round(QUARTERS * part / whole)))


def allowed(count: ActionCount) -> int:
    """Return the number of actions that are allowed at least in part."""
    return count.everywhere + count.limited + count.conditional


def bar(levels: Mapping[AccessLevel, ActionCount]) -> tuple[str, str]:
    """Return (fills, counts) for `{% lvl %}`: "4 2 0 0 0" and "9/9 30/61 0/48 0/16 0/11"."""
    counts = [levels.get(level, NONE) for level in AccessLevel]
    fills = " ".join(str(quarters(allowed(count), count.total)) for count in counts)
    return fills, " ".join(f"{allowed(count)}/{count.total}" for count in counts)


def in_words(levels: Mapping[AccessLevel, ActionCount], *, service: str = "") -> str:
    """Return 'Can list, read and change', for people who don’t count actions."""
    granted = [level for level in AccessLevel if level in levels and allowed(levels[level])]
    return plain_words(granted, service=service) or "Can use actions that AWS doesn’t list"
