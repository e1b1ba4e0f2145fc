"""Builds the privilege escalation graph for a moment and caches it in a worker process.

The graph uses a copy of the index, so that other questions are not blocked. A rebuild only processes accounts
that changed since the last graph. Pages read what `iam.access.escalation_calculation` stores.
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
"""The number of cached moments; the least recently used one is dropped."""
_one_at_a_time = RLock()


@dataclass(frozen=True, slots=True)
class ExplainedGraph:
    """A graph with the index that explains it.

    `index` is a copy of `source` as of `version`.
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
    """A copy of an index for graphs only. It changes only while a graph is built, account by account."""

    def __init__(self, source: PolicyIndex) -> None:
        self.source = source
        self.index = PolicyIndex(source.documents, moment=source.moment)
        self.account_graphs = AccountGraphs()
        self.gate = ReadWriteLock()
        self._taken: dict[str, tuple[AccountShard, int]] = {}
        self._changed: list[AccountRows] = []
        self._gone: list[str] = []

    def note_changes(self) -> int:
        """Record what changed in the source and return its version. The caller holds the source's lock."""
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
        """Apply the recorded changes."""
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
    """The graph at a moment (None: now), up to date with the mirror.

    `is_anew` also rebuilds it if only facts outside the index (passwords, instances) may have changed; paths
    of unchanged accounts are reused.
    """
    with snapshot(at) as index:
        escalation = None if is_anew else _fitting(at, index)
    return escalation or _make(at, is_anew=is_anew)


@contextmanager
def escalation(at: datetime | None, *, is_anew: bool = False) -> Iterator[ExplainedGraph]:
    """Hold the graph for reading: its index does not change meanwhile. Not reentrant."""
    known = escalation_at(at, is_anew=is_anew)
    with known.gate.reading():
        yield known


def forget() -> None:
    """Clear the caches."""
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
    """Build the graph from the current mirror."""
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
            # The recorded changes may be only partly applied, and the next build would skip them.
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
