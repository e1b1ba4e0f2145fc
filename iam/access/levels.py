"""Counts the actions by access level that users can do, for many users at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from iam.mirror.snapshot import snapshot
from iam.policy.catalogue import AccessLevel, AwsCatalogue, catalogue
from iam.policy.index.effective import AllowedActionSets
from iam.policy.index.index import PolicyIndex
from iam.policy.index.masks import ActionNumbering
from iam.policy.request import PrincipalKind


class LevelCounts(NamedTuple):
    """The number of allowed actions by access level, without actions that need no permission."""

    list: int
    read: int
    write: int
    permissions: int
    tagging: int


def levels_of(people: Mapping[int, str], *, at: datetime | None) -> dict[int, LevelCounts]:
    """The counts of these users (primary key to account ID). Users that the index does not have are
    left out.
    """
    with snapshot(at, accounts=set(people.values())) as index:
        effective, levels = index.effective(), dict[int, LevelCounts]()
        for number, account in people.items():
            member = index.member(account, number)
            if member is not None:
                levels[number] = counted(effective.for_member(member), effective.space)
        return levels


def counted(effective: AllowedActionSets, space: ActionNumbering) -> LevelCounts:
    """The counts of these allowed actions."""
    return _by_level(effective.allowed_mask & ~space.without_permission, space.catalogue)


@lru_cache(maxsize=1)
def totals() -> LevelCounts:
    """The number of actions that AWS publishes and that need a permission."""
    return _by_level(~ActionNumbering().without_permission, catalogue())


def _by_level(mask: int, known: AwsCatalogue) -> LevelCounts:
    return LevelCounts(*((mask & known.mask_of_level(level)).bit_count() for level in AccessLevel))


class LevelsByAccount:
    """The counts of all users, computed account by account on demand, for exports."""

    def __init__(self, at: datetime | None) -> None:
        self._at = at
        self._known: dict[str, dict[int, LevelCounts]] = {}

    def levels_of_user(self, number: int, *, account: str) -> LevelCounts | None:
        """The counts of a user; None if the index does not have it."""
        levels = self._known.get(account)
        if levels is None:
            with snapshot(self._at, accounts=[account], may_lag=True) as index:
                levels = self._known[account] = _of_account(index, account)
        return levels.get(number)


def _of_account(index: PolicyIndex, account: str) -> dict[int, LevelCounts]:
    level_counts: dict[int, LevelCounts] = {}
    shard = index.accounts.get(account)
    if shard is None:
        return level_counts
    effective = index.effective()
    counts_by_access: dict[AllowedActionSets, LevelCounts] = {}
    for members, access in effective.by_class(list(shard.classes.values())):
        if members[0].kind is not PrincipalKind.USER:
            continue
        counts = counts_by_access.get(access)
        if counts is None:
            counts = counts_by_access[access] = counted(access, effective.space)
        for member in members:
            level_counts[member.id] = counts
    return level_counts
