"""The graph of privilege escalation at a moment, made once for each state of the mirror and kept in this process.

It is made of a copy of the index, so that nobody who asks something else waits meanwhile.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Final

from iam.access.escalation_facts import facts_at
from iam.mirror.snapshot import snapshot
from iam.policy.escalation.graph import At, Graph
from iam.policy.escalation.paths import Explorer, Path
from iam.policy.index.documents import Doc
from iam.policy.index.index import Index
from iam.policy.index.rows import AccountRows
from iam.policy.index.scenario import row_of

KEPT: Final = 2
"""So many moments are kept, the one that was not asked for the longest goes."""


@dataclass(frozen=True, slots=True)
class Escalation:
    """A graph with the index that explains it. `source` is the index that it was copied from, in `version`."""

    graph: Graph
    index: Index
    explorer: Explorer
    source: Index
    version: int
    made_at: datetime
    seconds: float
    held: list[Doc]
    at: datetime | None = None
    paths: dict[At, Path] = field(default_factory=dict)
    """The best path to administrator of each principal that was asked about."""
    explained: set[str] = field(default_factory=set)
    """Accounts of whose principals all paths are known."""

    def path_to_administrator(self, start: At) -> Path | None:
        """The best path of a principal, explained once."""
        path = self.paths.get(start)
        if path is None:
            path = self.explorer.path(start, self.graph.to_administrator())
            if path is not None:
                self.paths[start] = path
        return path


_guard = Lock()
_known: OrderedDict[datetime | None, Escalation] = OrderedDict()


def escalation_at(at: datetime | None) -> Escalation:
    """The graph at a moment (None: now). The first who asks after a change waits for it, seconds in a large organization."""
    with snapshot(at) as index:
        found = _fitting(at, index)
        if found is not None:
            return found
        copy, version = _copied(index), index.version
    return _made(at, index, copy, version)


def escalation_of(index: Index, *, at: datetime | None) -> Escalation:
    """The same for who holds the snapshot of that moment already."""
    found = _fitting(at, index)
    return _made(at, index, _copied(index), index.version) if found is None else found


def kept_escalation(at: datetime | None) -> Escalation | None:
    """The graph of a moment if it is there already, so that nobody waits for it."""
    with snapshot(at) as index:
        return _fitting(at, index)


def forget() -> None:
    """Drop everything that is kept."""
    with _guard:
        _known.clear()


def _fitting(at: datetime | None, index: Index) -> Escalation | None:
    found = _known.get(at)
    return found if found and found.source is index and found.version == index.version else None


def _made(at: datetime | None, source: Index, copy: Index, version: int) -> Escalation:
    with _guard:
        found = _known.get(at)
        if found is None or found.source is not source or found.version != version:
            began = time.perf_counter()
            facts, held = facts_at(at, copy)
            graph = Graph(copy, facts=facts)
            graph.to_administrator()
            seconds = time.perf_counter() - began
            now = datetime.now(tz=UTC)
            found = _known[at] = Escalation(
                graph, copy, Explorer(graph, copy), source, version, now, seconds, held, at
            )
        _known.move_to_end(at)
        while len(_known) > KEPT:
            _known.popitem(last=False)
        return found


def _copied(index: Index) -> Index:
    found = Index(index.documents, moment=index.moment)
    for rows in _rows(index):
        found.put(rows)
    return found


def _rows(index: Index) -> Iterator[AccountRows]:
    for shard in index.accounts.values():
        yield AccountRows(
            [row_of(member) for member in shard.members.values() if member.id > 0],
            list(shard.groups.values()),
            list(shard.policies.values()),
            (),
            shard.number,
            shard.partition,
            shard.standing,
        )
