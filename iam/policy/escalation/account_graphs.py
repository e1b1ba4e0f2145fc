"""Caches the graphs of accounts and the crossings between them, and rebuilds only those of accounts that
changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from iam.policy.escalation.account_graph import AccountGraph
from iam.policy.escalation.cross_account import (
    AccountCrossing,
    StrangerRole,
    by_permission_sets,
    crossings_from,
    roles_open_to_others,
)
from iam.policy.escalation.organization_policies import freed_crossings
from iam.policy.escalation.path_builder import PathBuilder
from iam.policy.escalation.states import OutsideFacts
from iam.policy.index.index import PolicyIndex
from iam.policy.index.shard import AccountShard
from iam.policy.memory import collecting_paused


@dataclass(frozen=True, slots=True)
class _CachedGraph:
    """The graph of an account and what it was built from: the account's version, the dates that had passed,
    and the facts.
    """

    shard: AccountShard
    version: int
    passed: int
    facts: OutsideFacts
    manager: str
    account_graph: AccountGraph


class AccountGraphs:
    """The cached graphs of one index, which changes only between graphs."""

    def __init__(self) -> None:
        self._kept: dict[str, _CachedGraph] = {}
        self._crossings: dict[str, tuple[AccountGraph, Any, list[AccountCrossing]]] = {}
        self.made = 0
        """How many graphs were made so far."""

    def for_accounts(
        self, index: PolicyIndex, facts: OutsideFacts, accounts: Iterable[str]
    ) -> dict[str, AccountGraph]:
        """Return the graphs of the given accounts."""
        passed = index.documents.passed() if index.moment is None else 0
        account_graphs: dict[str, AccountGraph] = {}
        managers = _managers(index)
        for number in accounts:
            shard = index.accounts.get(number)
            if shard is None:
                continue
            own, kept = facts_of(facts, shard), self._kept.get(number)
            manager = managers.get(shard.standing.organization_id, "")
            if (
                kept is None
                or kept.shard is not shard
                or (kept.version, kept.passed, kept.facts) != (shard.version, passed, own)
                or kept.manager != manager
            ):
                account_graph = PathBuilder(index, shard, facts, manager=manager).build()
                kept = self._kept[number] = _CachedGraph(
                    shard, shard.version, passed, own, manager, account_graph
                )
                self.made += 1
            account_graphs[number] = kept.account_graph
        self._kept = {number: kept for number, kept in self._kept.items() if number in index.accounts}
        return account_graphs

    def crossings(
        self, index: PolicyIndex, account_graphs: dict[str, AccountGraph]
    ) -> Iterator[AccountCrossing]:
        """Yield the ways from account to account."""
        roles, all_crossings = list(roles_open_to_others(index, account_graphs)), []
        for number, account_graph in account_graphs.items():
            asked = [role for role in roles if role.account != number and role.may_mean(number)]
            key = tuple(_key(index, role) for role in asked)
            kept = self._crossings.get(number)
            if kept is None or kept[0] is not account_graph or kept[1] != key:
                with collecting_paused():
                    crossings = (
                        list(crossings_from(index, index.accounts[number], account_graph, asked))
                        if asked
                        else []
                    )
                kept = self._crossings[number] = (account_graph, key, crossings)
            all_crossings += kept[2]
        yield from all_crossings
        yield from by_permission_sets(index, account_graphs)
        yield from freed_crossings(index, account_graphs, all_crossings)


def _managers(index: PolicyIndex) -> dict[str, str]:
    """Return the number of the management account of each organization."""
    return {
        shard.standing.organization_id: number
        for number, shard in index.accounts.items()
        if shard.standing.is_management and shard.standing.organization_id
    }


def _key(index: PolicyIndex, role: StrangerRole) -> Any:
    """Return the cache key of the crossings into a role of another account."""
    member = role.member
    tags = None if member.tags is None else frozenset(member.tags.items())
    standing = index.accounts[role.account].standing
    return role.account, role.node, member.id, member.arn, member.unique_id, tags, member.trust, standing


def facts_of(facts: OutsideFacts, shard: AccountShard) -> OutsideFacts:
    """Return the facts that concern one account."""
    profiled = facts.profiled.get(shard.number)
    versions = None
    if facts.versions is not None:
        versions = {pk: facts.versions[pk] for pk in shard.policies if pk in facts.versions}
    profiled_here = {} if profiled is None else {shard.number: profiled}
    return OutsideFacts(
        group_arns={pk: facts.group_arns[pk] for pk in shard.groups if pk in facts.group_arns},
        profiled=profiled_here,
        running={pk: rows for pk, rows in facts.running.items() if pk in shard.members},
        passwords={pk: facts.passwords[pk] for pk in shard.members if pk in facts.passwords},
        versions=versions,
    )
