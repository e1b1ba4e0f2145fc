"""The graph of privilege escalation at a moment, made once for each state of the mirror and kept in this process.

It is made of a copy of the index, so that nobody who asks something else waits meanwhile. Of what the last graph was made of, only the
accounts that were written to since are looked at again.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock, RLock, Thread
from typing import Final, NamedTuple

import structlog
from django.db import connections

from iam.access.escalation_facts import facts_at
from iam.mirror.models import EntityState, Kind, valid_at
from iam.mirror.snapshot import snapshot
from iam.mirror.snapshot.gate import Gate
from iam.policy.escalation.estates import Estates
from iam.policy.escalation.graph import At, Graph
from iam.policy.escalation.paths import Explorer, Path
from iam.policy.index.documents import Doc
from iam.policy.index.index import Index
from iam.policy.index.rows import AccountRows
from iam.policy.index.scenario import row_of
from iam.policy.index.shard import Shard

KEPT: Final = 2
"""So many moments are kept, the one that was not asked for the longest goes."""
LARGE: Final = 5_000
"""In an organization of more users and roles, nobody waits for a graph to be made."""
WAIT_SECONDS: Final = 0.2
PAUSE: Final = 10
"""So many times as long as the last graph of a large organization took, it is shown before another is made."""
LONGEST_PAUSE: Final = 30.0
"""Or so many seconds, where that is less."""
LOOK_SECONDS: Final = 2.0
REACHING_KEPT: Final = 64
"""A graph keeps who becomes administrator for so many sets of accounts."""
logger = structlog.get_logger(__name__)
_one_at_a_time = RLock()


class Reaching(NamedTuple):
    """Those of some principals who can become administrator; how many were asked about, and how many of them are administrator."""

    starts: tuple[At, ...]
    asked: int
    there: int


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
    gate: Gate
    at: datetime | None = None
    paths: dict[At, Path] = field(default_factory=dict)
    """The best path to administrator of each principal that was asked about."""
    explained: set[str] = field(default_factory=set)
    """Accounts of whose principals all paths are known."""
    reaching: dict[frozenset[str] | None, Reaching] = field(default_factory=dict)
    """Who becomes administrator in some accounts, or (None) in all; see `reaching_in`."""

    def reaching_in(self, accounts: frozenset[str] | None) -> Reaching:
        """Who becomes administrator, and how many are asked about; found once for some accounts, since it takes a look at everybody."""
        found = self.reaching.get(accounts)
        if found is None:
            found = self._reaching(accounts)
            if len(self.reaching) >= REACHING_KEPT:
                self.reaching.clear()
            self.reaching[accounts] = found
        return found

    def _reaching(self, accounts: frozenset[str] | None) -> Reaching:
        reach = self.graph.to_administrator()
        starts, asked, there = list[At](), 0, 0
        for at in self.graph.everybody:
            if accounts is not None and at.account not in accounts:
                continue
            asked += 1
            hops = reach.best(at)
            if hops is None:
                continue
            if hops[at][0] == 0:
                there += 1
            else:
                starts.append(at)
        return Reaching(tuple(starts), asked, there)

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
_making: dict[datetime | None, _Making] = {}


class BeingCalculatedError(Exception):
    """The graph of a moment is calculated for the first time in this process, which takes as long as nobody should wait."""


class _Private:
    """A copy of an index for graphs alone. It changes only while a graph is made, account by account."""

    def __init__(self, source: Index) -> None:
        self.source = source
        self.index = Index(source.documents, moment=source.moment)
        self.estates = Estates()
        self.gate = Gate()
        self._taken: dict[str, tuple[Shard, int]] = {}
        self._changed: list[AccountRows] = []
        self._gone: list[str] = []

    def take(self) -> int:
        """Note what has changed in the source, whose lock the caller holds; the version of the source."""
        for number, shard in self.source.accounts.items():
            taken = self._taken.get(number)
            if taken is None or taken[0] is not shard or taken[1] != shard.version:
                self._changed.append(_rows(shard))
                self._taken[number] = (shard, shard.version)
        self._gone += [number for number in self._taken if number not in self.source.accounts]
        self._taken = {n: taken for n, taken in self._taken.items() if n in self.source.accounts}
        return self.source.version

    def follow(self) -> None:
        """Enter what was noted."""
        changed, self._changed = self._changed, []
        gone, self._gone = self._gone, []
        with self.gate.changing():
            for number in gone:
                self.index.drop(number)
            for rows in changed:
                self.index.put(rows)
            self.index.keep_time()


_private: dict[datetime | None, _Private] = {}


class _Making(Thread):
    """Makes the graph of now while pages show the one before."""

    def __init__(self) -> None:
        super().__init__(name="escalation", daemon=True)

    def run(self) -> None:
        """Make it; what fails is logged, and tried again by who asks next."""
        try:
            _make(None)
        except Exception:
            logger.exception("escalation.failed")
        finally:
            with _guard:
                _making.pop(None, None)
            connections.close_all()


def escalation_at(at: datetime | None) -> Escalation:
    """The graph at a moment (None: now).

    In a small organization it is of the mirror as it is. In a large one it is made beside the pages, which show the last one meanwhile
    (`made_at`); BeingCalculatedError where there is none yet.
    """
    with snapshot(at, may_lag=True) as index:
        found = _fitting(at, index)
        if found is not None:
            return found
        is_large = len(index) > LARGE
        last = _known.get(at)
    if at is not None or not is_large:
        return _make(at)
    last = last if last is not None and last.source is index else None
    if last is not None and _is_young(last):
        return last
    _start().join(WAIT_SECONDS)
    found = _known.get(at)
    if found is not None and found.source is index:
        return found
    if last is not None:
        return last
    raise BeingCalculatedError


def _is_young(known: Escalation) -> bool:
    """Whether it is too early for another, where accounts are written to all the time."""
    age = (datetime.now(tz=UTC) - known.made_at).total_seconds()
    return age < min(PAUSE * known.seconds, LONGEST_PAUSE)


def _start() -> Thread:
    with _guard:
        making = _making.get(None)
        if making is None:
            making = _making[None] = _Making()
            making.start()
    return making


@contextmanager
def escalation(at: datetime | None) -> Iterator[Escalation]:
    """The same, to be read: its index is not changed meanwhile. Not to be asked for again within."""
    known = escalation_at(at)
    with known.gate.reading():
        yield known


def kept_escalation(at: datetime | None) -> Escalation | None:
    """The graph of a moment if it is there already, so that nobody waits for it; in a large organization the last one, while another
    is made. There the index is not read either: that would take as long in a process that has none yet."""
    if at is None and _is_large():
        last = _known.get(None)
        if last is None or not _is_young(last):
            _look()
        return last
    with snapshot(at, may_lag=True) as index:
        return _fitting(at, index)


def _is_large() -> bool:
    last = _known.get(None)
    if last is not None:
        return len(last.index) > LARGE
    principals = EntityState.objects.filter(valid_at(None), kind__in=(Kind.USER, Kind.ROLE)).order_by()
    return principals[: LARGE + 1].count() > LARGE


_looked = [-LOOK_SECONDS]
"""When it was last looked whether there is something new, by the clock of this process."""


def _look() -> None:
    """Have a graph made beside the pages, if there is something new; at most once in a while."""
    now = time.monotonic()
    if now - _looked[0] >= LOOK_SECONDS:
        _looked[0] = now
        _start()


def forget() -> None:
    """Drop everything that is kept."""
    with _guard:
        _known.clear()
        _private.clear()
        _looked[0] = -LOOK_SECONDS


def _fitting(at: datetime | None, index: Index) -> Escalation | None:
    found = _known.get(at)
    return found if found and found.source is index and found.version == index.version else None


def _make(at: datetime | None) -> Escalation:
    """The graph of the mirror as it is; of two who ask at once, one makes it."""
    with _one_at_a_time:
        with snapshot(at, may_lag=True) as index:
            found = _fitting(at, index)
            if found is not None:
                return found
            private = _private.get(at)
            if private is None or private.source is not index:
                private = _Private(index)
            version = private.take()
        try:
            found = _made(at, private, version)
        except BaseException:
            # What it did not take in, the next would not look at again.
            with _guard:
                _private.pop(at, None)
            raise
        with _guard:
            _private[at], _known[at] = private, found
            _known.move_to_end(at)
            while len(_known) > KEPT:
                gone, _ = _known.popitem(last=False)
                _private.pop(gone, None)
    return found


def _made(at: datetime | None, private: _Private, version: int) -> Escalation:
    began = time.perf_counter()
    private.follow()
    index = private.index
    facts, held = facts_at(at, index)
    graph = Graph(index, facts=facts, kept=private.estates)
    graph.to_administrator()
    seconds = time.perf_counter() - began
    now = datetime.now(tz=UTC)
    return Escalation(
        graph, index, Explorer(graph, index), private.source, version, now, seconds, held, private.gate, at
    )


def _rows(shard: Shard) -> AccountRows:
    return AccountRows(
        [row_of(member) for member in shard.members.values() if member.id > 0],
        list(shard.groups.values()),
        list(shard.policies.values()),
        (),
        shard.number,
        shard.partition,
        shard.standing,
    )
