"""The escalation graph of all accounts, and searches in it: to administrator, from one principal to another,
and to a principal from all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from iam.policy.escalation.account_graph import ADMINISTRATOR, EscalationNode, EscalationWay, each
from iam.policy.escalation.account_graphs import AccountGraphs
from iam.policy.escalation.cross_account import AccountCrossing
from iam.policy.escalation.permission_checks import NOBODY, PrincipalBits
from iam.policy.escalation.states import AS_IT_IS, FULL, FULL_DIGEST, NO_FACTS, OutsideFacts
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AnswerLimitation
from iam.policy.memory import collecting_paused


class GraphNode(NamedTuple):
    """A node of an account."""

    account: str
    node: int


@dataclass(frozen=True, slots=True)
class PathHop:
    """One step of a search: the next node and the way to it. `is_sure` means that it depends on nothing
    unknown.
    """

    to: GraphNode
    way: EscalationWay | AccountCrossing | None
    is_sure: bool


@dataclass(frozen=True, slots=True)
class GoalDistances:
    """For each node that reaches the goal, the number of hops and the next hop: over certain steps only, and
    over all.
    """

    sure: Mapping[GraphNode, tuple[int, PathHop | None]]
    any: Mapping[GraphNode, tuple[int, PathHop | None]]

    def best(self, at: GraphNode) -> Mapping[GraphNode, tuple[int, PathHop | None]] | None:
        """Return the distances to use for a node. A certain path is better, however long."""
        if at in self.sure:
            return self.sure
        return self.any if at in self.any else None


class EscalationGraph:
    """The graph for a state of an index, which must not change while it is built. Later, only explanations
    need the index.
    """

    def __init__(
        self,
        index: PolicyIndex,
        *,
        facts: OutsideFacts = NO_FACTS,
        accounts: Iterable[str] | None = None,
        kept: AccountGraphs | None = None,
    ) -> None:
        """`accounts` limits the graph to these accounts and the ways between them. `kept` is the cache of
        earlier graphs of the same index.
        """
        if accounts is None:
            accounts = index.accounts
        # The first of equal paths is shown, and processes add accounts in different orders.
        wanted = sorted(accounts)
        self.facts = facts
        self._held = index.documents.add(FULL_DIGEST, FULL)
        self.version = index.version
        kept = AccountGraphs() if kept is None else kept
        self.account_graphs = kept.for_accounts(index, facts, wanted)
        self.crossings: dict[GraphNode, list[AccountCrossing]] = {}
        for crossing in kept.crossings(index, self.account_graphs):
            self.crossings.setdefault(GraphNode(crossing.to_account, crossing.to_node), []).append(crossing)
        self.roots = {number: index.accounts[number].root for number in self.account_graphs}
        self._administrator: GoalDistances | None = None
        self._unknown = tuple(
            number for number in self.account_graphs if not index.accounts[number].standing.is_known
        )

    def node(self, at: GraphNode) -> EscalationNode:
        """Return the node at a place."""
        return self.account_graphs[at.account].nodes[at.node]

    def at(self, member: IndexedPrincipal) -> GraphNode | None:
        """Return the node of a principal in its current state, or None for root users and service-linked
        roles.
        """
        return self.find(member.account, member.id)

    def find(self, account: str, number: int) -> GraphNode | None:
        """Return the node of a principal by account and number."""
        account_graph = self.account_graphs.get(account)
        node = None if account_graph is None else account_graph.place.get((number, AS_IT_IS))
        return None if node is None else GraphNode(account, node)

    @property
    def everybody(self) -> Iterator[GraphNode]:
        """All principals in their current state."""
        for number, account_graph in self.account_graphs.items():
            for node, each_node in enumerate(account_graph.nodes):
                if each_node.member is not None and each_node.state == AS_IT_IS:
                    yield GraphNode(number, node)

    def administrators(self, account: str) -> PrincipalBits:
        """Return the administrator nodes of an account, including the node that represents any of them."""
        account_graph = self.account_graphs[account]
        own = PrincipalBits(1 << ADMINISTRATOR, 1 << ADMINISTRATOR) if account_graph.ceiling else NOBODY
        return account_graph.administrators | own

    def to_administrator(self) -> GoalDistances:
        """Return who reaches an administrator of any account. The result is cached."""
        if self._administrator is None:
            marks = {number: self.administrators(number) for number in self.account_graphs}
            with collecting_paused():
                self._administrator = GoalDistances(
                    self._search({number: bits.sure for number, bits in marks.items()}, is_sure=True),
                    self._search({number: bits.any for number, bits in marks.items()}, is_sure=False),
                )
        return self._administrator

    def to(self, goals: Iterable[GraphNode]) -> GoalDistances:
        """Return who reaches one of the nodes. An administrator reaches every principal of the account."""
        bits: dict[str, int] = {}
        for goal in goals:
            bits[goal.account] = bits.get(goal.account, 0) | 1 << goal.node
        return GoalDistances(
            self._search(bits, is_sure=True, administers=True),
            self._search(bits, is_sure=False, administers=True),
        )

    def _search(
        self, goals: Mapping[str, int], *, is_sure: bool, administers: bool = False
    ) -> dict[GraphNode, tuple[int, PathHop | None]]:
        """Search backwards from the goals, level by level."""
        distances: dict[GraphNode, tuple[int, PathHop | None]] = {}
        seen = dict.fromkeys(self.account_graphs, 0) | {
            n: bits for n, bits in goals.items() if n in self.account_graphs
        }
        frontier: list[GraphNode] = []
        for number, bits in seen.items():
            frontier += [GraphNode(number, node) for node in each(bits)]
        for at in frontier:
            distances[at] = (0, None)
        steps = 0
        while frontier:
            steps += 1
            further: list[GraphNode] = []
            for at in frontier:
                for source, hop in self._edges_into(at, seen, is_sure=is_sure, administers=administers):
                    distances[source] = (steps, hop)
                    further.append(source)
            frontier = further
        return distances

    def _edges_into(
        self, at: GraphNode, seen: dict[str, int], *, is_sure: bool, administers: bool
    ) -> Iterator[tuple[GraphNode, PathHop]]:
        for account, way, bits in self._ways_into(at, administers=administers):
            possible = 0 if is_sure else bits.any
            for nodes, certain in ((bits.sure, True), (possible, False)):
                fresh = nodes & ~seen.get(account, -1)
                if not fresh:
                    continue
                seen[account] |= fresh
                for node in each(fresh):
                    yield GraphNode(account, node), PathHop(at, way, certain)

    def _ways_into(
        self, at: GraphNode, *, administers: bool
    ) -> Iterator[tuple[str, EscalationWay | AccountCrossing | None, PrincipalBits]]:
        """Yield (account, way, who) for all ways into a node."""
        account_graph = self.account_graphs[at.account]
        for way in account_graph.inward.get(at.node, ()):
            yield at.account, way, way.bits
        for crossing in self.crossings.get(at, ()):
            yield crossing.account, crossing, crossing.bits
        if administers and account_graph.nodes[at.node].state == AS_IT_IS:
            yield at.account, None, self.administrators(at.account)

    def limitations(self) -> tuple[AnswerLimitation, ...]:
        """Return the limits of the analysis."""
        limitations = []
        if self._unknown:
            limitations.append(AnswerLimitation("control-policies", CONTROL, self._unknown))
        cut = tuple(
            number for number, account_graph in self.account_graphs.items() if not account_graph.is_whole
        )
        if cut:
            limitations.append(AnswerLimitation("too-many-states", CUT, cut))
        closed = tuple(
            number for number, account_graph in self.account_graphs.items() if not account_graph.ceiling
        )
        if closed:
            limitations.append(AnswerLimitation("no-administrators", CLOSED, closed))
        limitations.append(AnswerLimitation("running", RUNNING))
        if self.facts.versions is None:
            limitations.append(AnswerLimitation("versions", VERSIONS))
        return tuple(limitations)


CONTROL: Final = "SCPs and RCPs of these accounts weren’t synced."
CUT: Final = "Principals can change so many policies in these accounts that not every path was followed."
CLOSED: Final = "SCPs let no one change permissions in these accounts, so no one there is administrator."
RUNNING: Final = (
    "Gatehouse doesn’t sync which functions, projects and tasks run with which role. Paths that change them "
    "are conditional."
)
VERSIONS: Final = "Older policy versions weren’t synced, so paths that restore one of them are left out."
