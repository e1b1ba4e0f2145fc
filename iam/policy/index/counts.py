"""Counts effective actions per service and access level, for bars and for access levels in lists of
people.
"""

from __future__ import annotations

from typing import NamedTuple

from iam.policy.catalogue import AccessLevel
from iam.policy.index.effective import AllowedActionSets
from iam.policy.index.masks import ActionNumbering


class ActionCount(NamedTuple):
    """The numbers of actions allowed everywhere, on some resources and conditionally, and of all actions."""

    everywhere: int
    limited: int
    conditional: int
    total: int


def by_service(
    allowed: AllowedActionSets, space: ActionNumbering
) -> dict[str, dict[AccessLevel, ActionCount]]:
    """The services with allowed actions, by prefix, and for each the access levels that have actions."""
    counts: dict[str, dict[AccessLevel, ActionCount]] = {}
    anything = allowed.allowed_mask
    for prefix, (first, size, levels) in space.services.items():
        within = (1 << size) - 1
        if not anything >> first & within:
            continue
        everywhere, limited, conditional = (mask >> first & within for mask in allowed)
        counts[prefix] = {
            level: ActionCount(
                (everywhere & mask).bit_count(),
                (limited & mask).bit_count(),
                (conditional & mask).bit_count(),
                mask.bit_count(),
            )
            for level, mask in levels.items()
            if mask
        }
    return counts


def levels(allowed: AllowedActionSets, space: ActionNumbering) -> dict[AccessLevel, str]:
    """For each access level with an allowed action, the strongest extent among its actions: `everywhere`,
    `limited` or `conditional`.
    """
    strongest: dict[AccessLevel, str] = {}
    for level in AccessLevel:
        mask = space.catalogue.mask_of_level(level)
        for name, part in zip(AllowedActionSets._fields, allowed, strict=True):
            if part & mask & ~space.without_permission:
                strongest[level] = name
                break
    return strongest
