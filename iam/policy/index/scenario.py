"""What would be if some rows were others: the principals that they concern are placed beside the index, which
stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from iam.policy.index.classes import Member
from iam.policy.index.difference import NOTHING, AccessDifference, Shift, difference
from iam.policy.index.documents import Doc
from iam.policy.index.exchange import Exchange, exchanged_by, holds_inline
from iam.policy.index.index import Index
from iam.policy.index.likeness import ActionPart, Kin, Likeness, Parts, is_another
from iam.policy.index.register import Register
from iam.policy.index.rows import (
    AccountRows,
    Changes,
    GroupRow,
    OrganizationStanding,
    PolicyRow,
    PrincipalRow,
)
from iam.policy.index.shard import Shard
from iam.policy.index.sides import Side, absent_side, side_of
from iam.policy.index.witness import PrincipalChange, Prover, combine_changes
from iam.policy.memory import collecting_paused


@dataclass(slots=True)
class Edits:
    """What is changed in one account; `standing` None: it stays where it is in its organization."""

    changes: Changes = field(default_factory=Changes)
    standing: OrganizationStanding | None = None


def what_if(
    index: Index,
    edits: Mapping[str, Edits],
    *,
    texts: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> AccessDifference:
    """Who would gain and who would lose what. `texts` are documents by digest that the edits name and the
    index may lack.

    No request is made before `now`, so that a permission that has ended is none.
    """
    documents = [index.documents.add(digest, text) for digest, text in (texts or {}).items()]
    # All of it is used until the end: a search for garbage meanwhile finds none.
    with collecting_paused():
        concerned = _Concerned(index, edits)
        sides = _Sides(index.accounts, concerned.shards)
        shifts = _Shifts(index, sides, now=now)
        result = difference(
            index.documents.space,
            shifts.of(concerned),
            sides_of=sides.of_number,
            index_after=concerned.index_after,
        )
        # What was compared goes before the search, which then has less to look at.
        del shifts
    del documents
    return result


class _Concerned:
    """Whom some edits concern, before and after. `shards` are the accounts as they would be; of those in
    which only texts of policies are others, what the account itself is stays the same.
    """

    def __init__(self, index: Index, edits: Mapping[str, Edits]) -> None:
        self._index, self._edits = index, edits
        self._exchanges: dict[frozenset[tuple[Doc, Doc]], Exchange] = {}
        self._exchanging: dict[str, tuple[Exchange, list[Member]]] = {}
        for number, edit in edits.items():
            self._try_to_exchange(index.accounts[number], edit)
        placed = {number: edit for number, edit in edits.items() if number not in self._exchanging}
        self._placed = edited_index(index, placed)
        self.shards = dict(self._placed.accounts)

    def _try_to_exchange(self, shard: Shard, edit: Edits) -> None:
        if edit.standing not in (None, shard.standing):
            return
        register = self._index.register
        exchanged = exchanged_by(shard, edit.changes, doc_of=lambda row: register.doc(row.digest, row.name))
        if exchanged is None:
            return
        members = shard.concerned_by(edit.changes)
        if not holds_inline({doc.digest for doc in exchanged}, (member.grants for member in members)):
            pairs = frozenset(exchanged.items())
            exchange = self._exchanges.setdefault(pairs, Exchange(exchanged))
            self._exchanging[shard.number] = exchange, members

    def pairs(self) -> Iterator[tuple[Member | None, Member | None]]:
        """Every member that the edits concern, or that they make or end, before and after."""
        for number, edit in self._edits.items():
            if number in self._exchanging:
                exchange, members = self._exchanging[number]
                for member in members:
                    yield member, exchange.member(member)
                continue
            known = self._index.accounts[number].members
            for member in self.shards[number].members.values():
                yield known.get(member.id), member
            for gone in edit.changes.gone:
                if gone in known:
                    yield known[gone], None

    def index_after(self) -> Index:
        """The index as it would be, with those whom the edits concern."""
        after = self._placed
        for number in self._exchanging:
            shard = self._index.accounts[number]
            if after.accounts[number] is shard:
                after.accounts[number] = _edited(shard, self._edits[number], after.register, is_whole=False)
        return after


def edited_index(
    index: Index,
    edits: Mapping[str, Edits],
    *,
    texts: Mapping[str, str] | None = None,
    is_whole: bool = False,
) -> Index:
    """The index with accounts as they would be. Of these it has only the principals that the edits concern,
    unless it is to be whole; who can is asked of these accounts alone.
    """
    documents = [index.documents.add(digest, text) for digest, text in (texts or {}).items()]
    after = Index(index.documents, moment=index.moment)
    after.accounts = dict(index.accounts)
    for number, edit in edits.items():
        after.accounts[number] = _edited(index.accounts[number], edit, after.register, is_whole=is_whole)
    del documents
    return after


def _edited(shard: Shard, edits: Edits, register: Register, *, is_whole: bool) -> Shard:
    """The principals of an account that the edits concern, or all of them, as they would be."""
    changes = edits.changes
    rows: dict[int, PrincipalRow] = {}
    standing = shard.standing if edits.standing is None else edits.standing
    is_moved = standing != shard.standing
    for member in shard.members.values() if is_moved or is_whole else shard.concerned_by(changes):
        if member.id > 0:
            rows[member.id] = row_of(member)
    rows.update((row.id, row) for row in changes.principals)
    groups: dict[int, GroupRow] = {**shard.groups, **{row.id: row for row in changes.groups}}
    policies: dict[int, PolicyRow] = {**shard.policies, **{row.id: row for row in changes.policies}}
    for number in changes.gone:
        for table in (rows, groups, policies):
            table.pop(number, None)
    return Shard(
        register,
        AccountRows(
            list(rows.values()),
            groups.values(),
            policies.values(),
            (),
            shard.number,
            shard.partition,
            standing,
        ),
    )


def row_of(member: Member) -> PrincipalRow:
    """The row of a member."""
    trust = None if member.trust is None else member.trust.digest
    return PrincipalRow(member.id, member.arn, member.unique_id, member.grants, member.tags, trust)


class _Sides:
    """Members by their numbers, as they are and as they would be."""

    def __init__(self, before: Mapping[str, Shard], after: Mapping[str, Shard]) -> None:
        self._before, self.after = before, after
        self.pairs: dict[int, tuple[Member | None, Member | None]] = {}

    def of_number(self, number: int) -> tuple[Side, Side]:
        """A member with what it holds, as it is and as it would be."""
        return self.of_pair(*self.pairs[number])

    def of_pair(self, before: Member | None, after: Member | None) -> tuple[Side, Side]:
        """The same for one who is not there before, or after."""
        if before is None:
            assert after is not None
            shard = self.after[after.account]
            return absent_side(after, shard), side_of(after, shard)
        left = side_of(before, self._before[before.account])
        if after is None:
            return left, absent_side(before, self._before[before.account])
        return left, side_of(after, self.after[after.account])


class _Shifts:
    """Compares members before and after, each pair of profiles once where members of it cannot differ."""

    def __init__(self, index: Index, sides: _Sides, *, now: datetime | None) -> None:
        self._index, self._sides, self._space = index, sides, index.documents.space
        # What begins later counts as given too.
        self._before = index.effective(is_any_time=True)
        self._after = self._before.elsewhere(sides.after)
        self._prover = Prover(self._space, now) if now else Prover(self._space)
        self._likeness = Likeness(self._space)
        self._changes: dict[Kin, PrincipalChange] = {}
        self._known: dict[Kin, PrincipalChange] = {}
        self._by_key: dict[object, PrincipalChange] = {}
        self._shifts: dict[tuple[int, int, int], Shift] = {}

    def of(self, concerned: _Concerned) -> Iterator[tuple[Member, Shift]]:
        """Every member that the edits concern, or that they make or end."""
        for before, after in concerned.pairs():
            member = after or before
            assert member is not None
            yield member, self._shift(before, after)

    def _shift(self, before: Member | None, after: Member | None) -> Shift:
        reach_before = NOTHING if before is None else self._before.for_member(before)
        reach_after = NOTHING if after is None else self._after.for_member(after)
        change = self._change(before, after)
        # What is the same is mostly one object; comparing numbers of many thousand bits for each member takes
        # long.
        key = (id(reach_before), id(reach_after), id(change))
        shift = self._shifts.get(key)
        if shift is None:
            shift = self._shifts[key] = Shift(reach_before, reach_after, change)
        return shift

    def _change(self, before: Member | None, after: Member | None) -> PrincipalChange:
        """What becomes of the member: of each part of the actions what becomes of it for everybody of whom
        the same is to be said.
        """
        member = after or before
        assert member is not None
        self._sides.pairs[member.id] = (before, after)
        likeness, facts = self._likeness, self._sides.after[member.account].facts
        parts = likeness.parts(before, after)
        is_apart = before is not None and after is not None and is_another(before, after)
        pair = _Pair(self._sides, before, after)
        if is_apart:
            return combine_changes(
                [(mask, self._proved(part, pair, is_apart=True)) for mask, part in parts.each]
            )
        alike = likeness.likeness_key(parts, member, facts, is_apart=False)
        known = self._changes.get(alike)
        if known is None:
            pair = _Pair(self._sides, before, after)
            known = self._changes[alike] = combine_changes(list(self._by_part(parts, pair)))
        return known

    def _by_part(self, parts: Parts, pair: _Pair) -> Iterator[tuple[int, PrincipalChange]]:
        """What becomes of each part."""
        facts = self._sides.after[pair.member.account].facts
        for mask, part, key in self._likeness.with_keys(parts, pair.member, facts):
            change = None if key is None else self._by_key.get(key)
            if change is None:
                change = self._near(part, pair) or self._proved(part, pair, is_apart=False)
                if key is not None:
                    self._by_key[key] = change
            yield mask, change

    def _near(self, part: ActionPart, pair: _Pair) -> PrincipalChange | None:
        """What becomes of the part by what the change bears on, if that says all; the requests that prove it
        are those of somebody who holds nothing else.
        """
        if part.near is None:
            return None
        change = self._proved(part.near, pair, is_apart=False)
        if change.unsettled & part.within:
            return None
        is_personal = bool(change.personal & part.within) or part.held.leaves_out_names
        return replace(change, is_personal=is_personal, proved_for="")

    def _proved(self, part: ActionPart, pair: _Pair, *, is_apart: bool) -> PrincipalChange:
        alike = self._likeness.likeness_key(
            part, pair.member, self._sides.after[pair.member.account].facts, is_apart=is_apart
        )
        change = self._known.get(alike)
        if change is None:
            change = self._prover.change(*part.sides(*pair.sides), within=part.within, alike=alike)
            if not pair.holds(part.held.alone):
                # It may name what only somebody else has.
                change = replace(change, proved_for="")
            self._known[alike] = change
        return change


class _Pair:
    """A member before and after, with its sides once they are asked for."""

    def __init__(self, sides: _Sides, before: Member | None, after: Member | None) -> None:
        member = after or before
        assert member is not None
        self.member = member
        self._sides, self._before, self._after = sides, before, after

    def holds(self, docs: Iterable[Doc]) -> bool:
        """Whether the member itself has some documents that it holds before and after."""
        return set(docs).issubset(self.member.cls.profile.bundle.docs)

    @cached_property
    def sides(self) -> tuple[Side, Side]:
        """As `_Sides` gives them."""
        return self._sides.of_pair(self._before, self._after)
