"""Evaluates hypothetical edits of rows. The principals concerned are placed beside the index, which stays
unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.comparison import compare
from iam.policy.index.difference import AccessDifference
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.exchange import DocumentExchange, exchanged_by, holds_inline
from iam.policy.index.index import PolicyIndex
from iam.policy.index.register import UseRegister
from iam.policy.index.rows import (
    AccountRows,
    GroupRow,
    OrganizationStanding,
    PolicyRow,
    PrincipalRow,
    RowChanges,
)
from iam.policy.index.shard import AccountShard
from iam.policy.memory import collecting_paused


@dataclass(slots=True)
class ScenarioEdits:
    """The edits in one account. `standing` None means that its place in the organization stays the same."""

    changes: RowChanges = field(default_factory=RowChanges)
    standing: OrganizationStanding | None = None


def what_if(
    index: PolicyIndex,
    edits: Mapping[str, ScenarioEdits],
    *,
    texts: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> AccessDifference:
    """Determine who would gain and who would lose what. `texts` are documents by digest that the edits refer
    to and the index may lack.

    All requests are at or after `now`, so that an expired permission counts as none.
    """
    documents = [index.documents.add(digest, text) for digest, text in (texts or {}).items()]
    # Everything is used until the end, so garbage collection would find nothing.
    with collecting_paused():
        concerned = _Concerned(index, edits)
        compared = compare(index, concerned.placed(), concerned.exchanging, after=concerned.shards, now=now)
    del documents
    return AccessDifference(index.documents.space, compared, concerned.index_after)


class _Concerned:
    """The principals concerned by some edits.

    `shards` are the accounts after the edits. `exchanging` are the holders, by account, where only policy
    texts change; such an account itself stays the same.
    """

    def __init__(self, index: PolicyIndex, edits: Mapping[str, ScenarioEdits]) -> None:
        self._index = index
        self._edits = edits
        self._exchanges: dict[frozenset[tuple[IndexedDocument, IndexedDocument]], DocumentExchange] = {}
        self.exchanging: dict[str, tuple[DocumentExchange, list[IndexedPrincipal]]] = {}
        for number, edit in edits.items():
            self._try_to_exchange(index.accounts[number], edit)
        placed = {number: edit for number, edit in edits.items() if number not in self.exchanging}
        self._after = edited_index(index, placed)
        self.shards = dict(self._after.accounts)

    def _try_to_exchange(self, shard: AccountShard, edit: ScenarioEdits) -> None:
        if edit.standing not in (None, shard.standing):
            return
        register = self._index.register
        exchanged = exchanged_by(shard, edit.changes, doc_of=lambda row: register.doc(row.digest, row.name))
        if exchanged is None:
            return
        members = shard.concerned_by(edit.changes)
        if not holds_inline({doc.digest for doc in exchanged}, (member.grants for member in members)):
            pairs = frozenset(exchanged.items())
            exchange = self._exchanges.setdefault(pairs, DocumentExchange(exchanged))
            self.exchanging[shard.number] = exchange, members

    def placed(self) -> Iterator[tuple[IndexedPrincipal | None, IndexedPrincipal | None]]:
        """All other principals that the edits concern, create or delete, before and after."""
        for number, edit in self._edits.items():
            if number in self.exchanging:
                continue
            known = self._index.accounts[number].members
            for member in self.shards[number].members.values():
                yield known.get(member.id), member
            for gone in edit.changes.gone:
                if gone in known:
                    yield known[gone], None

    def index_after(self) -> PolicyIndex:
        """The index after the edits, with the principals concerned."""
        after = self._after
        for number in self.exchanging:
            shard = self._index.accounts[number]
            if after.accounts[number] is shard:
                after.accounts[number] = _edited(shard, self._edits[number], after.register, is_whole=False)
        return after


def edited_index(
    index: PolicyIndex,
    edits: Mapping[str, ScenarioEdits],
    *,
    texts: Mapping[str, str] | None = None,
    is_whole: bool = False,
) -> PolicyIndex:
    """The index with edited accounts. These contain only the principals that the edits concern, unless
    `is_whole`. `who_can` must then be asked for these accounts alone.
    """
    documents = [index.documents.add(digest, text) for digest, text in (texts or {}).items()]
    after = PolicyIndex(index.documents, moment=index.moment)
    after.accounts = dict(index.accounts)
    for number, edit in edits.items():
        after.accounts[number] = _edited(index.accounts[number], edit, after.register, is_whole=is_whole)
    del documents
    return after


def _edited(
    shard: AccountShard, edits: ScenarioEdits, register: UseRegister, *, is_whole: bool
) -> AccountShard:
    """The account after the edits, with the principals concerned or all of them."""
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
    return AccountShard(
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


def row_of(member: IndexedPrincipal) -> PrincipalRow:
    """The row of a member."""
    trust = None if member.trust is None else member.trust.digest
    return PrincipalRow(member.id, member.arn, member.unique_id, member.grants, member.tags, trust)
