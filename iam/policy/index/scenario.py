"""What would be if some rows were others: the principals that they concern are placed beside the index, which
stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from iam.policy.index.classes import Member
from iam.policy.index.difference import NOTHING, AccessDifference, Shift, difference
from iam.policy.index.effective import EffectiveActions
from iam.policy.index.index import Index
from iam.policy.index.likeness import Kin, Likeness, Parts, is_another
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
        after = edited_index(index, edits)
        shifts = _Shifts(index, after.accounts, now=now)
        result = difference(
            index.documents.space,
            shifts.of(edits, {number: after.accounts[number] for number in edits}),
            sides_of=lambda number: shifts.sides(*shifts.pairs[number]),
            after=after,
        )
    del documents
    return result


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


class _Shifts:
    """Compares members before and after, each pair of profiles once where members of it cannot differ."""

    def __init__(self, index: Index, shards: Mapping[str, Shard], *, now: datetime | None) -> None:
        self._index, self._shards, self._space = index, shards, index.documents.space
        # What begins later counts as given too.
        self._before = index.effective(is_any_time=True)
        self._after = EffectiveActions(self._space, shards, is_any_time=True)
        self._prover = Prover(self._space, now) if now else Prover(self._space)
        self._likeness = Likeness(self._space)
        self._changes: dict[object, PrincipalChange] = {}
        self._known: dict[object, PrincipalChange] = {}
        self.pairs: dict[int, tuple[Member | None, Member | None]] = {}

    def of(self, edits: Mapping[str, Edits], after: Mapping[str, Shard]) -> Iterator[tuple[Member, Shift]]:
        """Every member that the edits concern, or that they make or end."""
        for number, shard in after.items():
            known = self._index.accounts[number].members
            for member in shard.members.values():
                yield member, self._shift(known.get(member.id), member)
            for gone in edits[number].changes.gone:
                if gone in known:
                    yield known[gone], self._shift(known[gone], None)

    def _shift(self, before: Member | None, after: Member | None) -> Shift:
        reach_before = NOTHING if before is None else self._before.for_member(before)
        reach_after = NOTHING if after is None else self._after.for_member(after)
        return Shift(reach_before, reach_after, self._change(before, after))

    def _change(self, before: Member | None, after: Member | None) -> PrincipalChange:
        """What becomes of the member: of each part of the actions what becomes of it for everybody of whom
        the same is to be said.
        """
        member = after or before
        assert member is not None
        self.pairs[member.id] = (before, after)
        parts = self._likeness.parts(before, after)
        facts = self._shards[member.account].facts
        is_apart = before is not None and after is not None and is_another(before, after)
        keys = tuple(
            [self._likeness.likeness_key(part, member, facts, is_apart=is_apart) for _, part in parts]
        )
        if is_apart:
            return self._joined(parts, keys, before, after)
        # Parts are kept as one object for all who hold the same.
        whole = (id(parts), keys)
        known = self._changes.get(whole)
        if known is None:
            known = self._changes[whole] = self._joined(parts, keys, before, after)
        return known

    def _joined(
        self, parts: Parts, keys: Iterable[Kin], before: Member | None, after: Member | None
    ) -> PrincipalChange:
        sides: tuple[Side, Side] | None = None
        changes = []
        for (mask, part), key in zip(parts, keys, strict=True):
            change = self._known.get(key)
            if change is None:
                sides = sides or self.sides(before, after)
                change = self._prover.change(*part.sides(*sides), within=part.within, alike=key)
                self._known[key] = change
            changes.append((mask, change))
        return combine_changes(changes)

    def sides(self, before: Member | None, after: Member | None) -> tuple[Side, Side]:
        """A member as it is, and as it would be."""
        index, shards = self._index.accounts, self._shards
        if before is None:
            assert after is not None
            shard = shards[after.account]
            return absent_side(after, shard), side_of(after, shard)
        left = side_of(before, index[before.account])
        if after is None:
            return left, absent_side(before, index[before.account])
        return left, side_of(after, shards[after.account])
