"""Compares principals before and after a change. What happens to all actions is computed once for all
principals with the same result.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from itertools import chain

from iam.policy.index.classes import IndexedPrincipal, MarkedDocument, PolicyBundle, PrincipalProfile
from iam.policy.index.difference import NOTHING, AccessShift
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.exchange import DocumentExchange
from iam.policy.index.holdings import Numbers
from iam.policy.index.index import PolicyIndex
from iam.policy.index.proof_sharing import (
    ActionPart,
    ActionParts,
    PartList,
    ProofKey,
    ProofSharing,
    is_another,
)
from iam.policy.index.shard import AccountShard
from iam.policy.index.sides import PrincipalSide, absent_side, side_of
from iam.policy.index.slices import held_by
from iam.policy.index.witness import ChangeProver, PartedChange, PrincipalChange

Exchanging = Mapping[str, tuple[DocumentExchange, list[IndexedPrincipal]]]
"""By account, an exchange of documents and the principals that hold them."""
Placed = tuple[IndexedPrincipal | None, IndexedPrincipal | None]
"""A member before and after; None if it doesn't exist."""


class SidesByPrincipal:
    """Principals by number, before and after."""

    def __init__(
        self, before: Mapping[str, AccountShard], after: Mapping[str, AccountShard], exchanging: Exchanging
    ) -> None:
        self._before = before
        self.after = after
        self._exchanging = exchanging
        self.placed: dict[int, Placed] = {}

    @cached_property
    def _exchanged(self) -> dict[int, IndexedPrincipal]:
        everybody = chain.from_iterable(members for _, members in self._exchanging.values())
        return {member.id: member for member in everybody}

    def pair(self, number: int) -> Placed:
        """A member before and after, by number."""
        placed = self.placed.get(number)
        return self.pair_of(self._exchanged[number]) if placed is None else placed

    def pair_of(self, member: IndexedPrincipal) -> Placed:
        """The pair of a member, which is given as it is before, if it exists then."""
        exchanging = self._exchanging.get(member.account)
        if exchanging is None:
            return self.placed[member.id]
        exchange, _ = exchanging
        return member, exchange.member(member)

    def of_pair(
        self, before: IndexedPrincipal | None, after: IndexedPrincipal | None
    ) -> tuple[PrincipalSide, PrincipalSide]:
        """The sides of a member before and after. A side without the member holds nothing."""
        if before is None:
            assert after is not None
            shard = self.after[after.account]
            return absent_side(after, shard), side_of(after, shard)
        left = side_of(before, self._before[before.account])
        if after is None:
            return left, absent_side(before, self._before[before.account])
        return left, side_of(after, self.after[after.account])


class ComparedPrincipals:
    """The principals that a change concerns, each with what happens to all actions."""

    def __init__(self, index: PolicyIndex, sides: SidesByPrincipal) -> None:
        self._index, self._sides = index, sides
        self._members: list[IndexedPrincipal] = []
        self._changes: list[PartedChange] = []

    def add(self, member: IndexedPrincipal, change: PartedChange) -> None:
        """Add a principal."""
        self._members.append(member)
        self._changes.append(change)

    def sides_of(self, number: int) -> tuple[PrincipalSide, PrincipalSide]:
        """A principal before and after, by number."""
        before, after = self._sides.pair(number)
        return self._sides.of_pair(before, after)

    @property
    def affected(self) -> int:
        """The number of principals for whom some decision differs."""
        return sum([not change.is_nothing for change in self._changes])

    def shifts(self) -> Iterator[tuple[IndexedPrincipal, AccessShift]]:
        """Each principal with what it can do before and after; as it is after, if it exists then."""
        # Permissions that start later count too.
        effective = self._index.effective(is_any_time=True)
        effective_after = effective.elsewhere(self._sides.after)
        known: dict[tuple[int, int, int], AccessShift] = {}
        for each, parted in zip(self._members, self._changes, strict=True):
            before, after = self._sides.pair_of(each)
            reach_before = NOTHING if before is None else effective.for_member(before)
            reach_after = NOTHING if after is None else effective_after.for_member(after)
            change = parted.whole
            # Equal values are usually one object. Comparing integers of many thousand bits per member would
            # be slow.
            key = (id(reach_before), id(reach_after), id(change))
            shift = known.get(key)
            if shift is None:
                shift = known[key] = AccessShift(reach_before, reach_after, change)
            yield after or each, shift


def compare(
    index: PolicyIndex,
    placed: Iterable[Placed],
    exchanging: Exchanging,
    *,
    after: Mapping[str, AccountShard],
    now: datetime | None,
) -> ComparedPrincipals:
    """Compare all `placed` principals and those with exchanged documents. `after` are the accounts after the
    change.

    All requests are at or after `now`.
    """
    sides = SidesByPrincipal(index.accounts, after, exchanging)
    compared, comparer = ComparedPrincipals(index, sides), PrincipalComparer(index, sides, now=now)
    for pair in placed:
        member = pair[0] or pair[1]
        assert member is not None
        sides.placed[member.id] = pair
        compared.add(member, comparer.placed(*pair))
    for number, (exchange, members) in exchanging.items():
        facts = after[number].facts
        for member in members:
            compared.add(member, comparer.exchanged(member, exchange, facts))
    return compared


class PrincipalComparer:
    """Compares members one by one, and each pair of profiles only once where its members cannot differ."""

    def __init__(self, index: PolicyIndex, sides: SidesByPrincipal, *, now: datetime | None) -> None:
        self._sides = sides
        space = index.documents.space
        self._prover = ChangeProver(space, now) if now else ChangeProver(space)
        self._sharing = ProofSharing(space)
        self._parts: dict[tuple[DocumentExchange, PrincipalProfile], ActionParts] = {}
        self._numbers: dict[tuple[DocumentExchange, PolicyBundle, tuple[MarkedDocument, ...]], Numbers] = {}
        self._changes: dict[
            ProofKey, tuple[tuple[PrincipalChange, ...], dict[ActionParts, PartedChange]]
        ] = {}
        self._known: dict[ProofKey, PrincipalChange] = {}
        self._by_standing: dict[object, dict[object, PrincipalChange]] = {}

    def placed(self, before: IndexedPrincipal | None, after: IndexedPrincipal | None) -> PartedChange:
        """What happens to a member. Each part of the actions is computed once for all members with the same
        result.
        """
        is_renamed = before is not None and after is not None and is_another(before, after)
        profile_before = None if before is None else before.cls.profile
        profile_after = None if after is None else after.cls.profile
        parts = self._sharing.parts(profile_before, profile_after, is_renamed=is_renamed)
        member = after or before
        assert member is not None
        pair = _Pair(self._sides, member, (before, after))
        if is_renamed:
            proved = [self._proved(part, pair, is_apart=True) for part in parts.all.each]
            return PartedChange(parts.masks, tuple(proved))
        return self._alike(parts, pair, self._sides.after[member.account].facts)

    def exchanged(
        self, member: IndexedPrincipal, exchange: DocumentExchange, facts: Mapping[str, object]
    ) -> PartedChange:
        """What happens to a member that holds exchanged documents. `facts` are those of its account."""
        profile = member.cls.profile
        parts = self._parts.get((exchange, profile))
        if parts is None:
            key = (exchange, profile.bundle, profile.marked)
            numbers = self._numbers.get(key)
            if numbers is None:
                before = held_by(profile)
                numbers = self._numbers[key] = self._sharing.numbers_of(before, exchange.held(before))
            limits = (profile.limits, exchange.limits(profile.limits))
            parts = self._sharing.parts_of(numbers, limits, is_renamed=False)
            self._parts[exchange, profile] = parts
        return self._alike(parts, _Pair(self._sides, member), facts)

    def _alike(self, parts: ActionParts, pair: _Pair, facts: Mapping[str, object]) -> PartedChange:
        alike = self._sharing.proof_key(parts.all, pair.member, facts, is_apart=False)
        known = self._changes.get(alike)
        if known is None:
            known = self._changes[alike] = (tuple(self._by_part(parts.all, pair, facts)), {})
        by_part, changes = known
        change = changes.get(parts)
        if change is None:
            change = changes[parts] = PartedChange(parts.masks, by_part)
        return change

    def _by_part(
        self, parts: PartList, pair: _Pair, facts: Mapping[str, object]
    ) -> Iterator[PrincipalChange]:
        """What happens to each part."""
        known = self._by_standing.setdefault(self._sharing.standing_of(pair.member, facts), {})
        for part, key in self._sharing.with_keys(parts, pair.member):
            change = None if key is None else known.get(key)
            if change is None:
                change = self._near(part, pair) or self._proved(part, pair, is_apart=False)
                if key is not None:
                    known[key] = change
            yield change

    def _near(self, part: ActionPart, pair: _Pair) -> PrincipalChange | None:
        """What happens to the part by the relevant documents alone; None if they don't decide. The proofs are
        requests of a principal that holds nothing else.
        """
        if part.near is None:
            return None
        change = self._proved(part.near, pair, is_apart=False)
        if change.unsettled & part.within:
            return None
        is_personal = bool(change.personal & part.within) or part.held.leaves_out_names
        return replace(change, is_personal=is_personal, proved_for="")

    def _proved(self, part: ActionPart, pair: _Pair, *, is_apart: bool) -> PrincipalChange:
        facts = self._sides.after[pair.member.account].facts
        alike = self._sharing.proof_key(part, pair.member, facts, is_apart=is_apart)
        change = self._known.get(alike)
        if change is None:
            change = self._prover.change(*part.sides(*pair.sides), within=part.within, alike=alike)
            if not pair.holds(part.held.alone):
                # The proof may name something that only another principal has.
                change = replace(change, proved_for="")
            self._known[alike] = change
        return change


class _Pair:
    """A member before and after. Its sides are created on first use."""

    def __init__(
        self, sides: SidesByPrincipal, member: IndexedPrincipal, placed: Placed | None = None
    ) -> None:
        self.member = member
        self._sides, self._placed = sides, placed

    def holds(self, docs: Iterable[IndexedDocument]) -> bool:
        """True if the member itself holds these documents."""
        return set(docs).issubset(self.member.cls.profile.bundle.docs)

    @cached_property
    def sides(self) -> tuple[PrincipalSide, PrincipalSide]:
        """The sides from `SidesByPrincipal.of_pair`."""
        return self._sides.of_pair(*(self._placed or self._sides.pair_of(self.member)))
