"""Groups principals by the statement that opens their path to administrator, and finds what closes it for
everyone. For workers.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count, takewhile
from typing import Final

from iam.access.escalation_graph import ExplainedGraph
from iam.policy.escalation.graph import GraphNode
from iam.policy.escalation.held_statements import TRUST, HeldStatement
from iam.policy.escalation.paths import PathStep, TooManyError
from iam.policy.request import account_of

Opener = frozenset[HeldStatement]
"""Statements that the path depends on."""
CHECK_SECONDS: Final = 2.0
"""How long to search for the other paths of a group while somebody waits."""
MAX_STATEMENTS: Final = 12


def options_of(steps: Iterable[PathStep]) -> frozenset[Opener]:
    """The sets of statements of which each closes a path."""
    grounds = chain.from_iterable(step.all_evidence for step in steps)
    options = chain.from_iterable(ground.closing for ground in grounds)
    return frozenset(option for option in options if option)


def grouped(options: Mapping[GraphNode, frozenset[Opener]]) -> dict[Opener, list[GraphNode]]:
    """Assign each principal to one group, greedily by the statements that open the most remaining paths."""
    waiting = dict(options)
    tally: Counter[Opener] = Counter(chain.from_iterable(options.values()))
    having: dict[Opener, list[GraphNode]] = {}
    for start, mine in options.items():
        for option in mine:
            having.setdefault(option, []).append(start)
    elsewhere = {option: _elsewhere(option, starts) for option, starts in having.items()}
    groups: dict[Opener, list[GraphNode]] = {}
    while waiting:
        tally += Counter()
        opener = min(
            tally,
            key=lambda option: cost_of(option, tally[option], elsewhere=elsewhere[option]),
            default=None,
        )
        if opener is None:
            groups[frozenset()] = list(waiting)
            break
        mine_all = [start for start in having[opener] if start in waiting]
        groups[opener] = mine_all
        for start in mine_all:
            del waiting[start]
            tally.subtract(options[start])
    return groups


def _elsewhere(option: Opener, starts: Iterable[GraphNode]) -> int:
    """The number of statements in accounts of none of the principals."""
    own = {"", *(start.account for start in starts)}
    return sum(account_of(statement.holder) not in own for statement in option)


def cost_of(
    option: Opener, closes: int, *, elsewhere: int = 0
) -> tuple[int, int, int, int, list[tuple[str, str, int]]]:
    """The sort key: trust policies last, since a workload may need them; then fewest statements, most closed
    paths, and own accounts, which someone there can change.
    """
    trusts = sum(statement.policy == TRUST for statement in option)
    return (
        trusts,
        len(option),
        -closes,
        elsewhere,
        sorted((statement.holder, statement.policy, statement.number) for statement in option),
    )


@dataclass(frozen=True, slots=True)
class FoundFix:
    """The effect of removing a group's statements.

    `closed` have no other path; `others` keep one until `more` is removed too. `is_whole` is False if time
    ran out, so that `unchecked` principals may keep a path.
    """

    closed: tuple[GraphNode, ...]
    others: tuple[GraphNode, ...]
    more: tuple[HeldStatement, ...]
    is_whole: bool
    unchecked: int = 0


def fix_of(known: ExplainedGraph, statements: Opener, affected: Sequence[GraphNode]) -> FoundFix:
    """Remove the statements of a group, find who still becomes administrator, and add statements until no one
    does.
    """
    return _FixSearch(known, statements, affected).fix()


@dataclass(slots=True)
class _FixSearch:
    known: ExplainedGraph
    statements: Opener
    affected: Sequence[GraphNode]
    gone: set[HeldStatement] = field(default_factory=set)
    looks: Iterator[int] = field(default_factory=lambda: iter(()))

    def fix(self) -> FoundFix:
        """Search until no path is left or time runs out."""
        until = time.thread_time() + CHECK_SECONDS
        self.looks = takewhile(lambda _: time.thread_time() < until, count())
        self.gone = set(self.statements)
        try:
            left = self._left(self.affected)
        except TooManyError:
            return self._fix((), (), is_whole=False, unchecked=len(self.affected))
        still = {start for start, _ in left}
        closed = tuple(start for start in self.affected if start not in still)
        others = tuple(start for start, _ in left)
        return self._fix(closed, others, is_whole=self._close(left))

    def _fix(
        self,
        closed: tuple[GraphNode, ...],
        others: tuple[GraphNode, ...],
        *,
        is_whole: bool,
        unchecked: int = 0,
    ) -> FoundFix:
        more = sorted(
            self.gone - self.statements,
            key=lambda statement: (statement.holder, statement.policy, statement.number),
        )
        return FoundFix(closed, others, tuple(more), is_whole, unchecked)

    def _close(self, left: list[tuple[GraphNode, list[PathStep]]]) -> bool:
        """Add the statements that most remaining principals depend on. Returns False if there is no end to
        it.
        """
        while left:
            tally: Counter[Opener] = Counter(chain.from_iterable(options_of(steps) for _, steps in left))
            if not tally or len(self.gone) >= MAX_STATEMENTS:
                return False
            option = min(tally, key=lambda option: cost_of(option, tally[option]))
            self.gone |= option
            try:
                left = self._left([start for start, _ in left])
            except TooManyError:
                return False
        return True

    def _left(self, affected: Iterable[GraphNode]) -> list[tuple[GraphNode, list[PathStep]]]:
        reach, gone = self.known.graph.to_administrator(), frozenset(self.gone)
        remaining = list[tuple[GraphNode, list[PathStep]]]()
        for start in affected:
            steps = self.known.explorer.remaining_path(start, reach, gone, looks=self.looks)
            if steps is not None:
                remaining.append((start, steps))
        return remaining
