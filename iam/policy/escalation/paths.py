"""Escalation paths, step by step, with the evidence for each step, and the smallest sets of statements whose
removal closes them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count, takewhile
from typing import Any, Final

from iam.policy.escalation.account_graph import (
    ADMINISTRATOR,
    EscalationNode,
    EscalationWay,
    StepOption,
)
from iam.policy.escalation.cross_account import AccountCrossing
from iam.policy.escalation.evidence import CACHE_SIZE, EvidenceFinder, StepEvidence
from iam.policy.escalation.graph import EscalationGraph, GoalDistances, GraphNode, PathHop
from iam.policy.escalation.held_statements import TRUST, HeldStatement
from iam.policy.escalation.states import AS_IT_IS, PrincipalState
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.index import PolicyIndex
from iam.policy.memory import collecting_paused

SEARCHES: Final = 400
"""Maximum number of path searches. After that, the smallest set found so far is used and marked
as not exact.
"""
SECONDS: Final = 5.0
"""Maximum processor time for the searches, in seconds."""


@dataclass(frozen=True, slots=True)
class PathAct:
    """A method used in a step, with its evidence."""

    alternative: StepOption
    grounds: tuple[StepEvidence, ...]
    is_sure: bool

    @property
    def title(self) -> str:
        """The method in plain words."""
        return self.alternative.method.title.format(self.alternative.subject.name)

    @property
    def is_assumed(self) -> bool:
        """True if the method needs something that policies don't show."""
        return bool(self.alternative.method.assumes) and not self.is_sure

    @property
    def conditions(self) -> tuple[str, ...]:
        """The unknown conditions that the method depends on."""
        open_conditions = list(
            chain.from_iterable(ground.explanation.open_conditions for ground in self.grounds)
        )
        if self.is_assumed:
            open_conditions.append(self.alternative.method.assumes)
        return tuple(dict.fromkeys(open_conditions))


@dataclass(frozen=True, slots=True)
class PathStep:
    """A step from one node to the next. Without acts, an administrator becomes another principal of the
    account.
    """

    source: GraphNode
    target: GraphNode
    who: IndexedPrincipal
    state: PrincipalState
    becomes: IndexedPrincipal | None
    into: PrincipalState
    acts: tuple[PathAct, ...]
    is_sure: bool

    @property
    def all_evidence(self) -> Iterator[StepEvidence]:
        """The evidence of all its acts."""
        return chain.from_iterable(act.grounds for act in self.acts)


@dataclass(frozen=True, slots=True)
class EscalationPath:
    """A path from a principal to a goal. `ends_sure` means that the last node is certainly a goal."""

    start: GraphNode
    who: IndexedPrincipal
    steps: tuple[PathStep, ...]
    ends_sure: bool

    @property
    def is_sure(self) -> bool:
        """True if nothing in the path depends on unknown conditions."""
        return self.ends_sure and all(step.is_sure for step in self.steps)

    @property
    def conditions(self) -> tuple[str, ...]:
        """The unknown conditions that the path depends on."""
        acts = chain.from_iterable(step.acts for step in self.steps)
        return tuple(dict.fromkeys(chain.from_iterable(act.conditions for act in acts)))

    @property
    def closing(self) -> frozenset[HeldStatement]:
        """The smallest set of statements whose removal closes this path, or an empty set if there is none."""
        grounds = chain.from_iterable(step.all_evidence for step in self.steps)
        options = chain.from_iterable(ground.closing for ground in grounds)
        return min(options, key=_size, default=frozenset())


@dataclass(frozen=True, slots=True)
class PathClosing:
    """Statements whose removal closes every path; empty if no such set was found. `is_exact` means that no
    smaller set does it.
    """

    statements: frozenset[HeldStatement]
    is_exact: bool


class TooManyError(Exception):
    """The search would take too many steps."""


def _looks(until: float) -> Iterator[int]:
    """Count until the processor time is used up."""
    return takewhile(lambda _: time.thread_time() < until, count())


class PathExplorer:
    """Explains the paths of a graph. It queries the index that the graph was built from, which must not have
    changed.
    """

    def __init__(self, graph: EscalationGraph, index: PolicyIndex) -> None:
        self._graph = graph
        self._index = index
        self._grounds = EvidenceFinder(index)
        self._leads: dict[GraphNode, list[tuple[GraphNode, EscalationWay | AccountCrossing | None]]] = {}
        # By node and the id of an option or of a part.
        self._known: dict[tuple[GraphNode, int], tuple[StepEvidence, ...]] = {}
        self._parts: dict[tuple[GraphNode, int], list[StepOption]] = {}
        self._options: dict[tuple[GraphNode, int], tuple[frozenset[HeldStatement], ...]] = {}

    def path(self, start: GraphNode, reach: GoalDistances) -> EscalationPath | None:
        """Return the best path of a principal: certain paths before conditional ones, then the shortest."""
        hops = reach.best(start)
        return None if hops is None else self._path(start, hops, reach)

    def _path(
        self, start: GraphNode, hops: Mapping[GraphNode, tuple[int, PathHop | None]], reach: GoalDistances
    ) -> EscalationPath:
        steps: list[PathStep] = []
        at = start
        while (hop := hops[at][1]) is not None:
            step = self._step(at, hop.to, hop.way, is_sure=hop.is_sure)
            assert step is not None
            steps.append(step)
            at = hop.to
        return EscalationPath(start, self._member(start), tuple(steps), at in reach.sure)

    def _step(
        self,
        source: GraphNode,
        target: GraphNode,
        way: EscalationWay | AccountCrossing | None,
        *,
        is_sure: bool,
        gone: frozenset[HeldStatement] = frozenset(),
    ) -> PathStep | None:
        """Return a step that uses the best remaining options without the statements in `gone`, or None if a
        part has no option left.
        """
        acts = []
        for part in way.parts if way is not None else ():
            act = self._act(source, part, gone)
            if act is None:
                return None
            acts.append(act)
        who = self._member(source)
        state = self._graph.node(source).state
        into = self._graph.node(target)
        return PathStep(source, target, who, state, into.member, into.state, tuple(acts), is_sure)

    def _member(self, at: GraphNode) -> IndexedPrincipal:
        """Return the principal at a node. The root user represents any administrator of an account."""
        return self._graph.node(at).member or self._graph.roots[at.account]

    def _act(
        self, source: GraphNode, part: tuple[StepOption, ...], gone: frozenset[HeldStatement]
    ) -> PathAct | None:
        """Return the best option of a part that remains without the statements in `gone`."""
        for alternative in self._usable(source, part):
            if self._keeps_alternative(source, alternative, gone):
                is_sure = bool(alternative.bits.sure >> source.node & 1)
                return PathAct(alternative, self._of(source, alternative), is_sure)
        return None

    def _usable(self, source: GraphNode, part: tuple[StepOption, ...]) -> list[StepOption]:
        """Return the options of a part that are open to a node, certain ones first."""
        key = source, id(part)
        usable = self._parts.get(key)
        if usable is None:
            bit = 1 << source.node
            able = [alternative for alternative in part if alternative.bits.any & bit]
            usable = self._parts[key] = sorted(able, key=lambda alternative: not alternative.bits.sure & bit)
        return usable

    def _keeps_alternative(
        self, source: GraphNode, alternative: StepOption, gone: frozenset[HeldStatement]
    ) -> bool:
        """Return True if an option remains open to a node without the statements in `gone`."""
        key = source, id(alternative)
        options = self._options.get(key)
        if options is None:
            grounds = self._of(source, alternative)
            closing = dict.fromkeys(chain.from_iterable(ground.closing for ground in grounds))
            options = self._options[key] = tuple(closing)
        return not any(option <= gone for option in options)

    def _is_left(
        self, source: GraphNode, way: EscalationWay | AccountCrossing | None, gone: frozenset[HeldStatement]
    ) -> bool:
        """Return True if each part of a way keeps an option without the statements in `gone`."""
        for part in () if way is None else way.parts:
            if not any(
                self._keeps_alternative(source, alternative, gone)
                for alternative in self._usable(source, part)
            ):
                return False
        return True

    def _of(self, source: GraphNode, alternative: StepOption) -> tuple[StepEvidence, ...]:
        # The graph keeps its options alive, so an id stays valid as long as this object explains the graph. A
        # search for what closes a path looks at the same options hundreds of times.
        key = source, id(alternative)
        evidence = self._known.get(key)
        if evidence is None:
            if len(self._known) >= CACHE_SIZE:
                self._known.clear()
                self._options.clear()
                self._parts.clear()
            node = self._graph.node(source)
            evidence = self._known[key] = self._grounds.evidence_for(
                node, alternative, self._choices(source, node)
            )
        return evidence

    def _choices(self, at: GraphNode, node: EscalationNode) -> Mapping[Any, Any]:
        choices = self._graph.account_graphs[at.account].choices
        return choices[node.round] if node.round < len(choices) else {}

    def closing(self, start: GraphNode, reach: GoalDistances) -> PathClosing:
        """Return the smallest set of statements without which a principal can't reach the goal on
        any path.
        """
        with collecting_paused():
            return _CutSearch(self, start, reach).smallest()

    def remaining_path(
        self, start: GraphNode, reach: GoalDistances, gone: frozenset[HeldStatement], *, looks: Iterator[int]
    ) -> list[PathStep] | None:
        """Return a path that remains without the statements in `gone`, searching nodes nearest to the goal
        first. Each look at a way takes one of `looks`; TooManyError is raised when they run out.
        """
        before: dict[GraphNode, tuple[GraphNode, EscalationWay | AccountCrossing | None] | None] = {
            start: None
        }
        waiting = [start]
        while waiting:
            at = waiting.pop()
            if reach.any[at][0] == 0:
                return self._steps_to(at, before, gone)
            further = []
            for target, way in self._from(at, reach):
                if target in before:
                    continue
                if next(looks, None) is None:
                    raise TooManyError
                if self._is_left(at, way, gone):
                    before[target] = at, way
                    further.append(target)
            waiting += sorted(further, key=lambda each: -reach.any[each][0])
        return None

    def _steps_to(
        self,
        at: GraphNode,
        before: Mapping[GraphNode, tuple[GraphNode, EscalationWay | AccountCrossing | None] | None],
        gone: frozenset[HeldStatement],
    ) -> list[PathStep]:
        """Return the steps by which a search reached a node."""
        steps: list[PathStep] = []
        while (come := before[at]) is not None:
            source, way = come
            step = self._step(source, at, way, is_sure=False, gone=gone)
            assert step is not None
            steps.insert(0, step)
            at = source
        return steps

    def _from(
        self, at: GraphNode, reach: GoalDistances
    ) -> list[tuple[GraphNode, EscalationWay | AccountCrossing | None]]:
        """Return the ways from a node to other nodes that reach the goal."""
        leads = self._leads.get(at)
        if leads is None:
            leads = self._leads[at] = list(self._out_of(at))
        return [each for each in leads if each[0] in reach.any]

    def _out_of(self, at: GraphNode) -> Iterator[tuple[GraphNode, EscalationWay | AccountCrossing | None]]:
        account_graph = self._graph.account_graphs[at.account]
        bit = 1 << at.node
        for node, ways in account_graph.inward.items():
            for way in ways:
                if way.bits.any & bit:
                    yield GraphNode(at.account, node), way
        for target, crossings in self._graph.crossings.items():
            for crossing in crossings:
                if crossing.account == at.account and crossing.bits.any & bit:
                    yield target, crossing
        if self._graph.administrators(at.account).any & bit:
            for node, other in enumerate(account_graph.nodes):
                if node != ADMINISTRATOR and other.state == AS_IT_IS and node != at.node:
                    yield GraphNode(at.account, node), None


class _CutSearch:
    """Branches over the statements to remove, smallest sets first, and remembers which sets were tried."""

    def __init__(self, explorer: PathExplorer, start: GraphNode, reach: GoalDistances) -> None:
        self._explorer, self._start, self._reach = explorer, start, reach
        self._best: frozenset[HeldStatement] | None = None
        self._tried: set[frozenset[HeldStatement]] = set()
        self._searches = 0
        self._looks = _looks(time.thread_time() + SECONDS)

    def smallest(self) -> PathClosing:
        """Return the smallest set, or the smallest found when the search was cut short."""
        is_exact = True
        try:
            self._branch(frozenset())
        except TooManyError:
            is_exact = False
        is_exact = is_exact and self._searches < SEARCHES and self._best is not None
        return PathClosing(self._best or frozenset(), is_exact)

    def _branch(self, gone: frozenset[HeldStatement]) -> None:
        if gone in self._tried or self._searches >= SEARCHES:
            return
        self._tried.add(gone)
        self._searches += 1
        steps = self._explorer.remaining_path(self._start, self._reach, gone, looks=self._looks)
        if steps is None:
            if self._best is None or len(gone) < len(self._best):
                self._best = gone
            return
        grounds = chain.from_iterable(step.all_evidence for step in steps)
        options = {option - gone for option in chain.from_iterable(ground.closing for ground in grounds)}
        for option in sorted(options, key=_size):
            if self._best is None or len(gone | option) < len(self._best):
                self._branch(gone | option)


def _size(option: frozenset[HeldStatement]) -> tuple[int, int, list[tuple[str, str, int]]]:
    """Sort small sets first. Among equal sizes, prefer those that keep trust policies, since others may need
    them.
    """
    trusts = sum(statement.policy == TRUST for statement in option)
    return (
        len(option),
        trusts,
        sorted((statement.holder, statement.policy, statement.number) for statement in option),
    )


__all__ = ["EscalationPath", "PathClosing", "PathExplorer", "PathStep"]
