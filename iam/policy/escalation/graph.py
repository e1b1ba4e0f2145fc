"""The ways of all accounts together, and searches through them: to administrator, from one principal to
another, to one from all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from iam.policy.escalation.cross_account import Crossing
from iam.policy.escalation.estate import ADMINISTRATOR, EscalationNode, EscalationWay, each
from iam.policy.escalation.estates import Estates
from iam.policy.escalation.permission_checks import NOBODY, Bits
from iam.policy.escalation.states import AS_IT_IS, FULL, FULL_DIGEST, NO_FACTS, OutsideFacts
from iam.policy.index.classes import Member
from iam.policy.index.index import Index
from iam.policy.index.question import Limitation
from iam.policy.memory import collecting_paused


class At(NamedTuple):
    """A node of an account."""

    account: str
    node: int


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a search: to which node, by which way. `is_sure`: nothing is open about it."""

    to: At
    way: EscalationWay | Crossing | None
    is_sure: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """From every node that reaches the goal, the next hop and how many there are: surely, and at all."""

    sure: Mapping[At, tuple[int, Hop | None]]
    any: Mapping[At, tuple[int, Hop | None]]

    def best(self, at: At) -> Mapping[At, tuple[int, Hop | None]] | None:
        """Where to look for the path of a node: a sure one is better, however long."""
        if at in self.sure:
            return self.sure
        return self.any if at in self.any else None


class EscalationGraph:
    """Built once for a state of an index, which must not change meanwhile; afterwards it needs the index to
    explain only.
    """

    def __init__(
        self,
        index: Index,
        *,
        facts: OutsideFacts = NO_FACTS,
        accounts: Iterable[str] | None = None,
        kept: Estates | None = None,
    ) -> None:
        """`accounts`: only these and the ways between them. `kept` has what earlier graphs of the same index
        were made of.
        """
        if accounts is None:
            accounts = index.accounts
        wanted = list(accounts)
        self.facts = facts
        self._held = index.documents.add(FULL_DIGEST, FULL)
        self.version = index.version
        kept = Estates() if kept is None else kept
        self.estates = kept.for_accounts(index, facts, wanted)
        self.crossings: dict[At, list[Crossing]] = {}
        for crossing in kept.crossings(index, self.estates):
            self.crossings.setdefault(At(crossing.to_account, crossing.to_node), []).append(crossing)
        self.roots = {number: index.accounts[number].root for number in self.estates}
        self._administrator: Reach | None = None
        self._unknown = tuple(
            number for number in self.estates if not index.accounts[number].standing.is_known
        )

    def node(self, at: At) -> EscalationNode:
        """A node by its place."""
        return self.estates[at.account].nodes[at.node]

    def at(self, member: Member) -> At | None:
        """Where a principal is, as it is; None for root users and service-linked roles."""
        return self.find(member.account, member.id)

    def find(self, account: str, number: int) -> At | None:
        """A principal by its account and number."""
        estate = self.estates.get(account)
        node = None if estate is None else estate.place.get((number, AS_IT_IS))
        return None if node is None else At(account, node)

    @property
    def everybody(self) -> Iterator[At]:
        """All principals as they are."""
        for number, estate in self.estates.items():
            for node, each_node in enumerate(estate.nodes):
                if each_node.member is not None and each_node.state == AS_IT_IS:
                    yield At(number, node)

    def administrators(self, account: str) -> Bits:
        """The nodes of an account that are administrators; the one that stands for any of them is among
        them.
        """
        estate = self.estates[account]
        own = Bits(1 << ADMINISTRATOR, 1 << ADMINISTRATOR) if estate.ceiling else NOBODY
        return estate.administrators | own

    def to_administrator(self) -> Reach:
        """Who reaches an administrator of any account; found once."""
        if self._administrator is None:
            marks = {number: self.administrators(number) for number in self.estates}
            with collecting_paused():
                self._administrator = Reach(
                    self._search({number: bits.sure for number, bits in marks.items()}, is_sure=True),
                    self._search({number: bits.any for number, bits in marks.items()}, is_sure=False),
                )
        return self._administrator

    def to(self, goals: Iterable[At]) -> Reach:
        """Who reaches one of some nodes. Anyone who is administrator reaches everybody in the account."""
        bits: dict[str, int] = {}
        for goal in goals:
            bits[goal.account] = bits.get(goal.account, 0) | 1 << goal.node
        return Reach(
            self._search(bits, is_sure=True, administers=True),
            self._search(bits, is_sure=False, administers=True),
        )

    def _search(
        self, goals: Mapping[str, int], *, is_sure: bool, administers: bool = False
    ) -> dict[At, tuple[int, Hop | None]]:
        """Backwards from the goals, level by level."""
        distances: dict[At, tuple[int, Hop | None]] = {}
        seen = dict.fromkeys(self.estates, 0) | {n: bits for n, bits in goals.items() if n in self.estates}
        frontier: list[At] = []
        for number, bits in seen.items():
            frontier += [At(number, node) for node in each(bits)]
        for at in frontier:
            distances[at] = (0, None)
        steps = 0
        while frontier:
            steps += 1
            further: list[At] = []
            for at in frontier:
                for source, hop in self._edges_into(at, seen, is_sure=is_sure, administers=administers):
                    distances[source] = (steps, hop)
                    further.append(source)
            frontier = further
        return distances

    def _edges_into(
        self, at: At, seen: dict[str, int], *, is_sure: bool, administers: bool
    ) -> Iterator[tuple[At, Hop]]:
        for account, way, bits in self._ways_into(at, administers=administers):
            possible = 0 if is_sure else bits.any
            for nodes, certain in ((bits.sure, True), (possible, False)):
                fresh = nodes & ~seen.get(account, -1)
                if not fresh:
                    continue
                seen[account] |= fresh
                for node in each(fresh):
                    yield At(account, node), Hop(at, way, certain)

    def _ways_into(
        self, at: At, *, administers: bool
    ) -> Iterator[tuple[str, EscalationWay | Crossing | None, Bits]]:
        """(account, way, who) of all that leads into a node."""
        estate = self.estates[at.account]
        for way in estate.inward.get(at.node, ()):
            yield at.account, way, way.bits
        for crossing in self.crossings.get(at, ()):
            yield crossing.account, crossing, crossing.bits
        if administers and estate.nodes[at.node].state == AS_IT_IS:
            yield at.account, None, self.administrators(at.account)

    def limitations(self) -> tuple[Limitation, ...]:
        """What the answers cannot know."""
        limitations = []
        if self._unknown:
            limitations.append(Limitation("control-policies", CONTROL, self._unknown))
        cut = tuple(number for number, estate in self.estates.items() if not estate.is_whole)
        if cut:
            limitations.append(Limitation("too-many-states", CUT, cut))
        closed = tuple(number for number, estate in self.estates.items() if not estate.ceiling)
        if closed:
            limitations.append(Limitation("no-administrators", CLOSED, closed))
        return (*limitations, Limitation("running", RUNNING), *self._of_versions())

    def _of_versions(self) -> Iterator[Limitation]:
        if self.facts.versions is None:
            yield Limitation("versions", VERSIONS)


CONTROL: Final = "SCPs and RCPs of these accounts weren’t synced."
CUT: Final = "Principals can change so many policies in these accounts that not every path was followed."
CLOSED: Final = "SCPs let no one change permissions in these accounts, so no one there is administrator."
RUNNING: Final = (
    "Gatehouse doesn’t sync which functions, projects and tasks run with which role. Paths that change them "
    "are conditional."
)
VERSIONS: Final = "Older policy versions weren’t synced, so paths that restore one of them are left out."
