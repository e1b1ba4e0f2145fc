"""Builds the lines of a receipt: who can do more or less, by service and access level, with proving requests
and risks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import reduce
from itertools import chain
from operator import or_
from typing import Any, Final

from iam.changes.access_effects import (
    ALTERED,
    CONDITIONAL,
    GAINED,
    LOST,
    NARROWER,
    SORTS,
    WIDER,
    ActionShift,
)
from iam.changes.account_blocks import AccountBlock, SharedBlock, merged
from iam.changes.assertion_checks import BrokenAssertion
from iam.changes.reasons import DifferenceReasons, UnchangedPrincipals, names_of
from iam.changes.receipt_blocks import GainBlock, LevelShift, SameInAccount
from iam.changes.risk_detection import (
    bears_on_administrators,
    is_administrator,
    opened_ways,
    risks_of,
    stops_being_administrator,
    ways_up,
)
from iam.changes.risks import LAST_ADMINISTRATOR, NORMAL, WORDS, level_of
from iam.changes.world import FIRST_MADE
from iam.policy.catalogue import AccessLevel
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.difference import AccessDifference, AccessShift
from iam.policy.index.effective import AllowedActionSets
from iam.policy.index.index import PolicyIndex
from iam.policy.index.permission_delta import bits, risky_actions
from iam.policy.index.sides import PrincipalSide
from iam.policy.index.witness import ChangeWitness

GROUPS: Final = 12
SERVICES: Final = 12
ACTIONS: Final = 12
WAYS: Final = 5
"""The maximum number of each kind on a receipt; the rest is counted."""


@dataclass(frozen=True, slots=True)
class ReceiptImpact:
    """The effect of a change set; `affected` principals can do more or less.

    `undecided` are sentences on the limits of the analysis, `replay` is the outcome of recorded calls
    (`iam.changes.receipt_replay`).
    """

    affected: int = 0
    gains: tuple[GainBlock, ...] = ()
    more_groups: int = 0
    more_people: int = 0
    more_users: int = 0
    more_roles: int = 0
    totals: dict[str, int] | None = None
    risks: tuple[str, ...] = ()
    risk: str = NORMAL
    unchanged: tuple[UnchangedPrincipals, ...] = ()
    undecided: tuple[str, ...] = ()
    assertions: tuple[BrokenAssertion, ...] = ()
    version: int = 2
    replay: dict[str, Any] | None = None

    @property
    def body(self) -> dict[str, Any]:
        """The JSON that the set's receipt stores. Without broken assertions it equals the form before
        assertions existed.
        """
        body = asdict(self)
        if not self.assertions:
            del body["assertions"]
        return body


NONE: Final = ReceiptImpact(totals={})


class _FirstPrincipal:
    """The principal of a block whose requests are shown."""

    def __init__(self, block: AccountBlock, difference: AccessDifference) -> None:
        member, shift = block.first
        self._before, self._after = difference.sides_of(member.id)
        change = shift.change.own(self._before, self._after, within=reduce(or_, block.masks.values()))
        self._shift, self._space = replace(shift, change=change), difference.space

    def witnesses(self, bit: int) -> tuple[ChangeWitness, ...]:
        """The requests that prove the change of an action."""
        action = self._space.actions.names(bit)[0]
        return self._shift.witnesses(action, bit, before=self._before, after=self._after)


class ReceiptLines:
    """Converts a difference into the lines of a receipt. The caller holds the lock of the index."""

    def __init__(self, index: PolicyIndex, difference: AccessDifference) -> None:
        self._index, self._found, self._space = index, difference, index.documents.space
        self._reasons = DifferenceReasons(index, difference)

    def impact(
        self,
        own_risks: Iterable[str],
        *,
        undecided: Iterable[str] = (),
        assertions: tuple[BrokenAssertion, ...] = (),
    ) -> ReceiptImpact:
        """The lines of the receipt."""
        groups = merged(self._blocks(), self._reasons)
        groups.sort(key=lambda group: group.order)
        shown, rest = groups[:GROUPS], groups[GROUPS:]
        more_people = sum(group.people for group in rest)
        more_users = sum(group.users for group in rest)
        total = _union(shift for shift, _ in self._found.proved)
        of_gains = chain.from_iterable(group.blocks[0].risks for group in groups)
        risks = ordered({*own_risks, *self._lock_outs(), *of_gains})
        return ReceiptImpact(
            affected=self._found.affected,
            gains=tuple(map(self._gain, shown)),
            more_groups=len(rest),
            more_people=more_people,
            more_users=more_users,
            more_roles=more_people - more_users,
            totals={sort: mask.bit_count() for sort, mask in total.items() if mask},
            risks=risks,
            risk=level_of(risks),
            unchanged=tuple(self._unchanged()),
            undecided=tuple(undecided),
            assertions=assertions,
        )

    def _lock_outs(self) -> Iterator[str]:
        """Yield a risk for each account that would be left without any administrator."""
        after = {}
        made: dict[str, list[AllowedActionSets]] = defaultdict(list)
        for shift, members in self._found.shifts.items():
            for member in members:
                after[member.id] = shift.after
                if member.id >= FIRST_MADE:
                    made[member.account].append(shift.after)
        effective = self._index.effective()
        ended = set()
        for proved, members in self._found.proved:
            # Few shifts concern administrators, and most have many members.
            if not bears_on_administrators(proved, self._space):
                continue
            for member in members:
                if stops_being_administrator(proved, self._space, ceiling=effective.ceiling(member)):
                    ended.add(member.account)
        for number in ended:
            members = [member for member in self._index.accounts[number].members.values() if member.id > 0]
            left = [after.get(member.id) or effective.for_member(member) for member in members]
            left += made[number]
            ceiling = effective.ceiling(members[0]) if members else None
            if ceiling and not any(
                is_administrator(principal_effect, self._space, ceiling=ceiling) for principal_effect in left
            ):
                yield LAST_ADMINISTRATOR

    def _blocks(self) -> Iterable[AccountBlock]:
        """The principals of one account, grouped by equal effects that the same requests prove."""
        blocks: dict[object, AccountBlock] = {}
        effects: dict[object, int] = {}
        effective = self._index.effective()
        for shift, members in self._found.proved:
            masks, opened = masks_of(shift), opened_ways(shift, self._space)
            # If names matter, each principal has different requests; those of the first are shown.
            cells: tuple[object, ...] = ()
            if not shift.change.is_personal:
                cells = tuple((mask, verdict.more, verdict.less) for mask, verdict in shift.change.proofs)
            effect = effects.setdefault((tuple(masks.values()), cells), len(effects))
            known: dict[tuple[AllowedActionSets, bool], tuple[str, ...]] = {}
            for account, account_members in _by_account(members).items():
                ways = tuple(ways_up(opened, account_members, side_of=self._after))
                ceiling = effective.ceiling(account_members[0])
                risks = known.get((ceiling, bool(ways)))
                if risks is None:
                    risks = risks_of(shift, self._space, ceiling=ceiling, has_way_up=bool(ways))
                    known[ceiling, bool(ways)] = risks
                ways = ways[:WAYS]
                key = (account, effect, risks, ways)
                block = blocks.setdefault(key, AccountBlock(account, masks, risks, ways, []))
                block.members.extend([(member, shift) for member in account_members])
        return blocks.values()

    def _after(self, member: IndexedPrincipal) -> PrincipalSide:
        """The policies and limits that apply to a member after the change."""
        return self._found.sides_of(member.id)[1]

    def _gain(self, group: SharedBlock) -> GainBlock:
        block, *others = group.blocks
        first = _FirstPrincipal(block, self._found)
        rows = list(self._rows(block.masks, first))
        services = list(dict.fromkeys(row.service for row in rows))
        shown = set(services[:SERVICES])
        actions, more = self._riskiest(block.masks, people=group.people, first=first)
        there = _in_account(block)
        return GainBlock(
            account_id=block.account,
            names=there.names,
            users=there.users,
            roles=there.roles,
            totals={sort: mask.bit_count() for sort, mask in block.masks.items() if mask},
            rows=tuple(row for row in rows if row.service in shown),
            more_services=len(services) - len(shown),
            actions=actions,
            more_actions=more,
            risks=block.risks,
            ways_up=block.ways,
            already=group.reasons.already,
            keeps=group.reasons.keeps,
            blocked=group.reasons.blocked,
            elsewhere=tuple(map(_in_account, others)),
        )

    def _unchanged(self) -> Iterator[UnchangedPrincipals]:
        """The principals for whom given or removed permissions have no effect, with the reasons."""
        by_account: dict[str, list[tuple[IndexedPrincipal, AccessShift]]] = defaultdict(list)
        for shift, members in self._found.unchanged:
            for member in members:
                by_account[member.account].append((member, shift))
        for account, pairs in sorted(by_account.items()):
            yield from self._reasons.unchanged(account, pairs)

    def _rows(self, masks: Mapping[str, int], first: _FirstPrincipal) -> Iterator[LevelShift]:
        """The rows by service and level; services with the most affected actions come first."""
        anything = reduce(or_, masks.values(), 0)
        rows = []
        for prefix, (start, size, levels) in self._space.services.items():
            within = (1 << size) - 1
            concerned = anything >> start & within
            if concerned:
                rows.append((-concerned.bit_count(), prefix, start, within, levels))
        for _, prefix, start, within, levels in sorted(rows, key=lambda row: row[:2]):
            for level in AccessLevel:
                parts = {
                    sort: mask & (within & levels.get(level, 0)) << start for sort, mask in masks.items()
                }
                parts = {sort: part for sort, part in parts.items() if part}
                if parts:
                    yield LevelShift(
                        prefix,
                        str(level),
                        {sort: part.bit_count() for sort, part in parts.items()},
                        {sort: first.witnesses(part & -part) for sort, part in parts.items()},
                    )

    def _riskiest(
        self, masks: Mapping[str, int], *, people: int, first: _FirstPrincipal
    ) -> tuple[tuple[ActionShift, ...], int]:
        of_iam, risky = risky_actions(self._space)
        tiers: list[tuple[str, int]] = []
        for sorts in ((GAINED, WIDER, ALTERED), (LOST, NARROWER, CONDITIONAL)):
            for tier in (of_iam, risky & ~of_iam, ~risky):
                tiers += [(sort, masks[sort] & tier) for sort in sorts if masks[sort] & tier]
        share = max(2, ACTIONS // max(1, len(tiers)))
        chosen: list[tuple[str, int]] = []
        for most in (share, ACTIONS):
            for sort, mask in tiers:
                chosen.extend((sort, bit) for bit in bits(mask, most))
        picked = list(dict.fromkeys(chosen))[:ACTIONS]
        order = {sort: place for place, sort in enumerate(SORTS)}
        picked.sort(
            key=lambda shift: (order[shift[0]], not shift[1] & of_iam, not shift[1] & risky, shift[1])
        )
        named = reduce(or_, (bit for _, bit in picked), 0)
        rows = tuple(
            ActionShift(
                action=self._space.actions.names(bit)[0],
                sort=sort,
                people=people,
                is_risky=sort in (GAINED, WIDER, ALTERED) and bool(bit & risky),
                witnesses=first.witnesses(bit),
            )
            for sort, bit in picked
        )
        return rows, (reduce(or_, masks.values(), 0) & ~named).bit_count()


def _in_account(block: AccountBlock) -> SameInAccount:
    names = names_of(member for member, _ in block.members)
    return SameInAccount(block.account, names, block.users, len(block.members) - block.users)


def masks_of(shift: AccessShift) -> dict[str, int]:
    """Disjoint sets of actions by the kind of change."""
    return {sort: getattr(shift, sort) for sort in SORTS}


def _union(shifts: Iterable[AccessShift]) -> dict[str, int]:
    total = dict.fromkeys(SORTS, 0)
    for shift in shifts:
        for sort, mask in masks_of(shift).items():
            total[sort] |= mask
    return total


def _by_account(members: Iterable[IndexedPrincipal]) -> dict[str, list[IndexedPrincipal]]:
    by_account: dict[str, list[IndexedPrincipal]] = defaultdict(list)
    for member in members:
        by_account[member.account].append(member)
    return by_account


def ordered(risks: Iterable[str]) -> tuple[str, ...]:
    """The risks, riskiest first."""
    known = set(risks)
    return tuple(risk for risk in WORDS if risk in known)
