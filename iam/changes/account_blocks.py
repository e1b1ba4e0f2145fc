"""Puts blocks of a receipt that say the same of several accounts into one, which names the accounts."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from iam.changes.reasons import Blocked, HeldAlready
from iam.changes.receipt_blocks import GainBlock, SameInAccount


def merged(gains: Iterable[GainBlock]) -> list[GainBlock]:
    """The blocks, in their order; those with the same effect in other accounts are `elsewhere` of the first
    of them.

    Each had witnesses of its own, of which those of the first are shown. The same: each line and named action
    has the same witness but for the number of the account and the name of the principal, and each reason
    holds for all of a block.
    """
    merged_gains = list(gains)
    accounts: dict[object, set[str]] = defaultdict(set)
    for gain in merged_gains:
        accounts[_outline(gain)].add(gain.account_id)
    groups: dict[object, list[GainBlock]] = defaultdict(list)
    for gain in merged_gains:
        # To write a block as text takes a while, and most receipts are about one account.
        is_alone = len(accounts[_outline(gain)]) == 1
        groups[id(gain) if is_alone else _key(gain)].append(gain)
    return [_together(group) for group in groups.values()]


def _outline(gain: GainBlock) -> object:
    """What is equal in blocks that say the same, and quick to compare."""
    return tuple(gain.totals.items()), gain.risks, gain.ways_up, len(gain.rows), len(gain.actions)


def _together(group: Sequence[GainBlock]) -> GainBlock:
    first, *others = group
    if not others:
        return first
    people = sum(gain.people for gain in group)
    return replace(
        first,
        elsewhere=tuple(
            SameInAccount(gain.account_id, gain.names, gain.users, gain.roles) for gain in others
        ),
        actions=tuple(replace(shift, people=people) for shift in first.actions),
        already=tuple(replace(permission, people=people) for permission in first.already),
        keeps=tuple(replace(permission, people=people) for permission in first.keeps),
        blocked=tuple(replace(blocked, people=people) for blocked in first.blocked),
    )


def _key(gain: GainBlock) -> str:
    """What a block says, as text, without the account and the principals."""
    fields = asdict(replace(gain, account_id="", names=(), users=0, roles=0))
    text = json.dumps(_without_principals(fields)).replace(gain.account_id, "ACCOUNT")
    reasons: tuple[HeldAlready | Blocked, ...] = (*gain.already, *gain.keeps, *gain.blocked)
    # What holds for some of a block only has a number that belongs to its account.
    is_of_all = all(reason.people == gain.people for reason in reasons)
    return text if is_of_all else f"{gain.account_id} {text}"


def _without_principals(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_principals(item)
            for key, item in value.items()
            if key not in ("principal", "people")
        }
    if isinstance(value, list | tuple):
        return [_without_principals(item) for item in value]
    return value
