"""The graph of privilege escalation at a moment, made once for each state of the mirror and kept in the
process of a worker. For workers.

It is made of a copy of the index, so that nobody who asks something else waits meanwhile. Of what the last
graph was made of, only the accounts that were written to since are looked at again. Pages read what
`iam.access.escalation_calculation` keeps of it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Lock, RLock
from typing import Final

from iam.access.escalation_facts import facts_at
from iam.mirror.snapshot import snapshot
from iam.mirror.snapshot.gate import ReadWriteLock
from iam.policy.escalation.account_graphs import AccountGraphs
from iam.policy.escalation.graph import EscalationGraph
from iam.policy.escalation.paths import PathExplorer
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.index import PolicyIndex
from iam.policy.index.rows import AccountRows
from iam.policy.index.scenario import row_of
from iam.policy.index.shard import AccountShard

MAX_GRAPHS: Final = 2
"""So many moments are kept, the one that was not asked for the longest goes."""
_one_at_a_time = RLock()


@dataclass(frozen=True, slots=True)
class ExplainedGraph:
    """A graph with the index that explains it. `source` is the index that it was copied from, in
    `version`.
    """

    graph: EscalationGraph
    index: PolicyIndex
    explorer: PathExplorer
    source: PolicyIndex
    version: int
    held: list[IndexedDocument]
    gate: ReadWriteLock
    at: datetime | None = None


_guard = Lock()
_known: OrderedDict[datetime | None, ExplainedGraph] = OrderedDict()


class _GraphIndex:
    """A copy of an index for graphs alone. It changes only while a graph is made, account by account."""

    def __init__(self, source: PolicyIndex) -> None:
        self.source = source
        self.index = PolicyIndex(source.documents, moment=source.moment)
        self.account_graphs = AccountGraphs()
        self.gate = ReadWriteLock()
        self._taken: dict[str, tuple[AccountShard, int]] = {}
        self._changed: list[AccountRows] = []
        self._gone: list[str] = []

    def note_changes(self) -> int:
        """Note what has changed in the source, whose lock the caller holds; the version of the source."""
        accounts = self.source.accounts
        for number, shard in accounts.items():
            taken = self._taken.get(number)
            if taken is None or taken[0] is not shard or taken[1] != shard.version:
                self._changed.append(_rows(shard))
                self._taken[number] = (shard, shard.version)
        gone = [number for number in self._taken if number not in accounts]
        self._gone += gone
        for number in gone:
            del self._taken[number]
        return self.source.version

    def follow(self) -> None:
        """Enter what was noted."""
        changed, self._changed = self._changed, []
        gone, self._gone = self._gone, []
        with self.gate.changing():
            for number in gone:
                self.index.drop(number)
            for rows in changed:
                self.index.enter_account(rows)
            self.index.keep_time()


_private: dict[datetime | None, _GraphIndex] = {}


def escalation_at(at: datetime | None, *, is_anew: bool = False) -> ExplainedGraph:
    """The graph at a moment (None: now), of the mirror as it is. `is_anew`: what is not in the index may have
    changed, too (passwords, instances); the ways of accounts about which nothing has changed are not looked
    for again.
    """
    with snapshot(at) as index:
        escalation = None if is_anew else _fitting(at, index)
    return escalation or _make(at, is_anew=is_anew)


@contextmanager
def escalation(at: datetime | None, *, is_anew: bool = False) -> Iterator[ExplainedGraph]:
    """The same, to be read: its index is not changed meanwhile. Not to be asked for again within."""
    known = escalation_at(at, is_anew=is_anew)
    with known.gate.reading():
        yield known


def forget() -> None:
    """Drop everything that is kept."""
    with _guard:
        _known.clear()
        _private.clear()


def _fitting(at: datetime | None, index: PolicyIndex) -> ExplainedGraph | None:
    escalation = _known.get(at)
    return (
        escalation
        if escalation and escalation.source is index and escalation.version == index.version
        else None
    )


def _make(at: datetime | None, *, is_anew: bool) -> ExplainedGraph:
    """The graph of the mirror as it is."""
    with _one_at_a_time:
        with snapshot(at) as index:
            escalation = _fitting(at, index)
            if escalation is not None and not is_anew:
                return escalation
            private = _private.get(at)
            if private is None or private.source is not index:
                private = _GraphIndex(index)
            version = private.note_changes()
        try:
            escalation = _made(at, private, version)
        except BaseException:
            # What it did not take in, the next would not look at again.
            with _guard:
                _private.pop(at, None)
            raise
        with _guard:
            _private[at], _known[at] = private, escalation
            _known.move_to_end(at)
            while len(_known) > MAX_GRAPHS:
                gone, _ = _known.popitem(last=False)
                _private.pop(gone, None)
    return escalation


def _made(at: datetime | None, private: _GraphIndex, version: int) -> ExplainedGraph:
    private.follow()
    index = private.index
    facts, documents = facts_at(at, index)
    graph = EscalationGraph(index, facts=facts, kept=private.account_graphs)
    graph.to_administrator()
    return ExplainedGraph(
        graph, index, PathExplorer(graph, index), private.source, version, documents, private.gate, at
    )


def _rows(shard: AccountShard) -> AccountRows:
    return AccountRows(
        [row_of(member) for member in shard.members.values() if member.id > 0],
        list(shard.groups.values()),
        list(shard.policies.values()),
        (),
        shard.number,
        shard.partition,
        shard.standing,
    )
