"""Finds the users and roles that are administrators of an account, cached until the account or its place in
the organization changes.

Principals that could only become administrator by escalation are found by `iam.access.escalation`, which
takes longer.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

from iam.mirror.snapshot import snapshot
from iam.policy.escalation.path_builder import PathBuilder
from iam.policy.escalation.states import OutsideFacts
from iam.policy.index.index import PolicyIndex
from iam.policy.index.shard import AccountShard

MAX_ANSWERS: Final = 8
"""The number of cached answers, each for a set of accounts and a state of the mirror."""


class _KnownAdministrators(NamedTuple):
    """The administrators of an account, and the version of the account they were found in."""

    version: int
    found: dict[int, bool]


class _CachedAnswer(NamedTuple):
    """An answer, and the revisions of all accounts it was computed from."""

    revisions: Mapping[str, int]
    found: Mapping[int, bool]


_guard = Lock()
_shards: WeakKeyDictionary[AccountShard, _KnownAdministrators] = WeakKeyDictionary()
_answers: dict[str, _CachedAnswer] = {}


def administrators(revisions: Mapping[str, int], *, account: str = "") -> Mapping[int, bool]:
    """Administrators of one account, or of all, by primary key; the value is False if a condition decides.

    `revisions` are the current revisions of all accounts. If they have not changed, the cached answer is
    returned without a query.
    """
    known = _answers.get(account)
    if known is not None and known.revisions == revisions:
        return known.found
    wanted = [number for number in revisions if account in ("", number)]
    by_principal: dict[int, bool] = {}
    accounts = wanted if account else None
    with snapshot(accounts=accounts) as index:
        for number in wanted:
            shard = index.accounts.get(number)
            if shard is not None:
                by_principal |= _administrators_of(index, shard)
    with _guard:
        _answers[account] = _CachedAnswer(dict(revisions), by_principal)
        while len(_answers) > MAX_ANSWERS:
            del _answers[next(iter(_answers))]
    return by_principal


def forget() -> None:
    """Clear the caches."""
    with _guard:
        _answers.clear()
        _shards.clear()


def _administrators_of(index: PolicyIndex, shard: AccountShard) -> dict[int, bool]:
    """Find the administrators of one account. The caller must hold a snapshot of the index."""
    known = _shards.get(shard)
    if known is not None and known.version == shard.version:
        return known.found
    by_principal = PathBuilder(index, shard, OutsideFacts()).administrators()
    with _guard:
        _shards[shard] = _KnownAdministrators(shard.version, by_principal)
    return by_principal
