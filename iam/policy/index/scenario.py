"""What would be if some rows were others: the principals that they concern are placed beside the index, which stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iam.policy.index.classes import Limits, Member, Profile
from iam.policy.index.difference import NOTHING, Difference, Shift, difference
from iam.policy.index.documents import Clause, Doc
from iam.policy.index.effective import EffectiveActions
from iam.policy.index.masks import Space
from iam.policy.index.register import Register
from iam.policy.index.rows import AccountRows, Changes, GroupRow, PolicyRow, PrincipalRow, Standing
from iam.policy.index.shard import Shard

if TYPE_CHECKING:
    from iam.policy.index.index import Index


@dataclass(slots=True)
class Edits:
    """What is changed in one account; `standing` None: it stays where it is in its organization."""

    changes: Changes = field(default_factory=Changes)
    standing: Standing | None = None


def what_if(
    index: Index, edits: Mapping[str, Edits], *, texts: Mapping[str, str] | None = None
) -> Difference:
    """Who would gain and who would lose what. `texts` are documents by digest that the edits name and the index may lack."""
    held = [index.documents.add(digest, text) for digest, text in (texts or {}).items()]
    register = Register(index.documents)
    after = {number: _edited(index.accounts[number], one, register) for number, one in edits.items()}
    shifts = _Shifts(index, {**index.accounts, **after})
    found = difference(index.documents.space, shifts.of(edits, after))
    del held
    return found


def _edited(shard: Shard, edits: Edits, register: Register) -> Shard:
    """The principals of an account that the edits concern, as they would be."""
    changes = edits.changes
    rows: dict[int, PrincipalRow] = {}
    standing = shard.standing if edits.standing is None else edits.standing
    is_moved = standing != shard.standing
    for member in shard.members.values() if is_moved else shard.concerned_by(changes):
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
    """Compares members before and after, each pair of profiles once."""

    def __init__(self, index: Index, shards: Mapping[str, Shard]) -> None:
        self._index, self._space = index, index.documents.space
        self._before = index.effective()
        self._after = EffectiveActions(self._space, shards)
        self._touched: dict[tuple[Profile | None, Profile | None], int] = {}

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
        return Shift(
            NOTHING if before is None else self._before.of(before),
            NOTHING if after is None else self._after.of(after),
            self._statements_changed(before, after),
        )

    def _statements_changed(self, before: Member | None, after: Member | None) -> int:
        if before is None or after is None:
            return 0
        key = (before.cls.profile, after.cls.profile)
        found = self._touched.get(key)
        if found is None:
            found = self._touched[key] = _touched(*key, self._space)
        return found


def _touched(before: Profile, after: Profile, space: Space) -> int:
    mask = 0
    for clause in clauses_of(before) ^ clauses_of(after):
        mask |= space.mask(clause.actions)
    return mask


def clauses_of(profile: Profile) -> set[Clause]:
    """All statements that have a say about a profile's members: those of what they hold, and of what bounds it."""
    return {clause for doc in (*profile.bundle.docs, *_bounding(profile.limits)) for clause in doc.clauses}


def _bounding(limits: Limits) -> list[Doc]:
    docs = [doc for level in (*limits.levels.scps, *limits.levels.rcps) for _, doc in level]
    return docs if limits.boundary is None else [*docs, limits.boundary]
