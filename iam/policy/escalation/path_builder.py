"""Finds the ways of one account in rounds: what principals can do now, then what they could do in the states
that they can reach.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, count
from typing import Final

from iam.policy.escalation.account_graph import (
    ADMINISTRATOR,
    AccountGraph,
    ActingPrincipal,
    EscalationWay,
    who_has_any,
)
from iam.policy.escalation.administrators import AdministratorFinder
from iam.policy.escalation.attachable import ATTACHING, attachable
from iam.policy.escalation.choices import TargetChoice, TargetChoices
from iam.policy.escalation.found_paths import FoundPaths
from iam.policy.escalation.method_types import EscalationMethod
from iam.policy.escalation.methods import METHODS
from iam.policy.escalation.new_principals import NewPrincipals
from iam.policy.escalation.organization_policies import LimitedAccount, find_freeing
from iam.policy.escalation.path_finder import PathFinder
from iam.policy.escalation.permission_checks import CheckSource, PermissionAsker
from iam.policy.escalation.states import (
    AS_IT_IS,
    FREED,
    FULL,
    FULL_DIGEST,
    NewMember,
    OutsideFacts,
    PrincipalState,
    is_service_linked,
    row_in,
)
from iam.policy.escalation.targets import EscalationTargets
from iam.policy.escalation.trusts import ServiceTrusts, accounts_named, admits_people, admits_strangers
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.index import PolicyIndex
from iam.policy.index.rows import AccountRows, PolicyHoldings, PrincipalRow
from iam.policy.index.scenario import row_of
from iam.policy.index.shard import AccountShard
from iam.policy.memory import collecting_paused
from iam.policy.request import PrincipalKind

ROUNDS: Final = 4
MAX_STATES: Final = 4_000
CEILING: Final = "gatehouse-holds-everything"


class PathBuilder:
    """Builds the graph of one account. The account of `index` is copied into small indexes to query."""

    def __init__(
        self, index: PolicyIndex, shard: AccountShard, facts: OutsideFacts, *, manager: str = ""
    ) -> None:
        """`manager` is the ID of the organization's management account, or empty if it is unknown."""
        self._index = index
        self._shard = shard
        self._facts = facts
        self._manager = manager
        self._held = index.documents.add(FULL_DIGEST, FULL)
        self._asker = PermissionAsker()
        highest = max((abs(number) for number in shard.members), default=0)
        self._numbers = count(highest + 10**13)
        self._new = NewPrincipals(shard, self._numbers)
        self._services = ServiceTrusts(shard.number, moment=index.moment)
        self.account_graph = AccountGraph(shard.number)
        self._states: dict[int, list[tuple[PrincipalState, int]]] = {}
        self._limited = LimitedAccount(shard, manager)

    def build(self) -> AccountGraph:
        """Return the account graph with all its ways."""
        with collecting_paused():
            return self._build()

    def _build(self) -> AccountGraph:
        account_graph = self.account_graph
        administrators = self._begin()
        fresh = range(1, len(account_graph.nodes))
        for number in range(ROUNDS):
            fresh = self._round(number, fresh, administrators)
            if not fresh:
                return account_graph
            self._asker.use(self._sources(fresh), more=self._trusts())
        account_graph.is_whole = False
        return account_graph

    def administrators(self) -> dict[int, bool]:
        """Return the numbers of the principals that are administrators already, and whether certainly. Ways
        that lead to that are not searched.
        """
        administrators_bits = self._begin().bits()
        return {
            node.member.id: bool(administrators_bits.sure >> place & 1)
            for place, node in enumerate(self.account_graph.nodes)
            if node.member is not None and administrators_bits.any >> place & 1
        }

    def _begin(self) -> AdministratorFinder:
        """Add all principals in their current state, and measure what the organization leaves to a principal
        with all permissions.
        """
        account_graph = self.account_graph
        account_graph.add(None, AS_IT_IS, 0)
        for member in self._shard.members.values():
            if member.kind is not PrincipalKind.ROOT and not is_service_linked(member):
                account_graph.add(member, AS_IT_IS, 0)
        administrators = AdministratorFinder(
            self._asker,
            partition=self._shard.partition,
            account=self._shard.number,
            ceiling=1 << ADMINISTRATOR,
        )
        self._asker.use([self._first_source()], more=self._trusts())
        administrators.measure()
        account_graph.ceiling, account_graph.regions = administrators.has_any, self._asker.regions()
        return administrators

    def _trusts(self) -> list[IndexedDocument]:
        return [member.trust for member in self._shard.members.values() if member.trust is not None]

    def _round(self, number: int, nodes: range, administrators: AdministratorFinder) -> range:
        """Find the ways from some nodes, and return the new nodes that they lead to."""
        account_graph = self.account_graph
        freed = _mask(node for node in nodes if account_graph.nodes[node].state.freed)
        account_graph.administrators |= administrators.bits(freed=freed).limited_to(_mask(nodes))
        everybody = _mask(nodes) & ~account_graph.administrators.sure
        act = ActingPrincipal(everybody, account_graph.administrators.any & everybody)
        choices = TargetChoices(self._asker, self._shard.number, self._shard.partition)
        before = len(account_graph.nodes)
        if everybody:
            targets = EscalationTargets(self._shard, account_graph, self._facts)
            as_it_is = {
                number: node for (number, state), node in account_graph.place.items() if state == AS_IT_IS
            }
            attaching = chain.from_iterable(map(self._asker.clauses, ATTACHING))
            policies = attachable(self._shard, self._index.documents, attaching)
            finder = PathFinder(
                self._asker,
                choices,
                targets,
                as_it_is,
                self._facts,
                self._shard,
                policies,
                self._new,
                self._services,
            )
            reachable = finder.find(act)
            if self._limited.limiting:
                find_freeing(reachable, act, asker=self._asker, account=self._limited, targets=targets)
            self._lead(reachable, everybody, number)
        if not number and self._limited.limiting and self._manager:
            self._free_roles(administrators)
        chosen: dict[EscalationMethod | tuple[EscalationMethod, int], tuple[TargetChoice, ...]] = dict(
            choices.of_roles.items()
        )
        chosen |= {m: choices.found[m.own_needs] for m in METHODS if m.own_needs in choices.found}
        account_graph.choices.append(chosen)
        return range(before, len(account_graph.nodes))

    def _free_roles(self, administrators: AdministratorFinder) -> None:
        """Add roles that the management account could assume and that would be administrators
        without SCPs.
        """
        account_graph, shard = self.account_graph, self._shard
        rows, bits, members = [], {}, {}
        for (number, state), node in account_graph.place.items():
            if state != AS_IT_IS:
                continue
            member = shard.members[number]
            named = accounts_named(member.trust)
            is_open = admits_strangers(member.trust, shard.number) and (
                named is None or self._manager in named
            )
            if is_open and not account_graph.administrators.sure >> node & 1:
                rows.append(row_of(member))
                bits[number] = 1 << node
                members[node] = member
        if not rows:
            return
        able = administrators.administrators_in(self._source_of(rows, bits, is_freed=True))
        for node, member in members.items():
            if able.any >> node & 1 and (member.id, FREED) not in account_graph.place:
                account_graph.add(member, FREED, 1)

    def _lead(self, reachable: FoundPaths, act: int, number: int) -> None:
        account_graph = self.account_graph
        self._states = defaultdict(list)
        for (member_id, state), node in account_graph.place.items():
            self._states[member_id].append((state, node))
        for node, alternatives in reachable.become.items():
            account_graph.lead(node, EscalationWay((tuple(alternatives),), who_has_any(tuple(alternatives))))
        if reachable.everything:
            parts = (tuple(reachable.everything),)
            account_graph.lead(ADMINISTRATOR, EscalationWay(parts, who_has_any(parts[0])))
        if reachable.elsewhere:
            parts = (tuple(reachable.elsewhere),)
            account_graph.outward.append(EscalationWay(parts, who_has_any(parts[0])))
        for lead in reachable.new:
            if lead.member is None:
                account_graph.lead(ADMINISTRATOR, lead.way)
        made = ((lead.member, lead.state, lead.way) for lead in reachable.new if lead.member is not None)
        for member, state, way in (*made, *self._edits(reachable, act)):
            place = account_graph.place.get((member.id, state))
            if place is None:
                if len(account_graph.nodes) - len(self._shard.members) > MAX_STATES:
                    account_graph.is_whole = False
                    continue
                place = account_graph.add(member, state, number + 1)
                if isinstance(member, NewMember):
                    self._new.remember(member, state, place)
            account_graph.lead(place, way)

    def _edits(
        self, reachable: FoundPaths, act: int
    ) -> Iterator[tuple[IndexedPrincipal, PrincipalState, EscalationWay]]:
        """Yield the ways into states for anyone who can edit a principal and become it, or is that principal
        already.
        """
        sure = self.account_graph.administrators.sure
        for number, edits in reachable.edits.items():
            member = self._shard.members[number]
            base = self.account_graph.place.get((number, AS_IT_IS))
            if base is None or sure >> base & 1:
                continue
            become = tuple(reachable.become.get(base, ()))
            if become:
                for state, way in edits.from_others(become):
                    yield member, state, way
            for state, node in self._states.get(number, ()):
                if not act >> node & 1:
                    continue
                for next_state, way in edits.from_itself(state, node):
                    yield member, next_state, way

    def _first_source(self) -> CheckSource:
        """Return the current principals, and a role that can do whatever SCPs allow."""
        rows = [row_of(member) for member in self._shard.members.values() if member.id > 0]
        ceiling_number = next(self._numbers)
        ceiling_arn = f"arn:{self._shard.partition}:iam::{self._shard.number}:role/{CEILING}"
        full_access = PolicyHoldings(((CEILING, FULL_DIGEST),))
        rows.append(PrincipalRow(ceiling_number, ceiling_arn, "", full_access))
        bits = {ceiling_number: 1 << ADMINISTRATOR}
        for (member_id, _), node in self.account_graph.place.items():
            bits[member_id] = 1 << node
        return self._source_of(rows, bits)

    def _sources(self, nodes: Iterable[int]) -> list[CheckSource]:
        """Return sources for the nodes, with separate indexes for nodes without SCPs."""
        of_state: dict[bool, list[int]] = {False: [], True: []}
        for node in nodes:
            of_state[self.account_graph.nodes[node].state.freed].append(node)
        return [
            self._source(places, is_freed=is_freed)
            for is_freed, places in of_state.items()
            if places or not is_freed
        ]

    def _source(self, nodes: Iterable[int], *, is_freed: bool) -> CheckSource:
        """Return a source for the nodes, and the roles that other principals may assume, because their trust
        policies apply.
        """
        rows, bits = [], {}
        for place in nodes:
            node = self.account_graph.nodes[place]
            assert node.member is not None
            number = next(self._numbers)
            rows.append(row_in(node.member, node.state, number, self._shard.groups))
            bits[number] = 1 << place
        for member in self._shard.members.values():
            if admits_people(member.trust):
                row = row_of(member)
                row.grants = PolicyHoldings()
                rows.append(row)
        return self._source_of(rows, bits, is_freed=is_freed)

    def _source_of(
        self, rows: list[PrincipalRow], bits: dict[int, int], *, is_freed: bool = False
    ) -> CheckSource:
        index = PolicyIndex(self._index.documents, moment=self._index.moment)
        shard = self._shard
        standing = replace(shard.standing, scps=()) if is_freed else shard.standing
        index.enter_account(
            AccountRows(
                rows, shard.groups.values(), shard.policies.values(), (),
                shard.number, shard.partition, standing,
            )
        )  # fmt: skip
        return CheckSource(index, shard.number, bits)


def _mask(nodes: Iterable[int]) -> int:
    bits = 0
    for node in nodes:
        bits |= 1 << node
    return bits
