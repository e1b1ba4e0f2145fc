"""Ways from account to account: roles that principals of other accounts may assume, and permission sets that
reach all accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from iam.policy.escalation.account_graph import (
    ADMINISTRATOR,
    AccountGraph,
    NeedSubject,
    StepOption,
    who_has_any,
)
from iam.policy.escalation.management import account_subject
from iam.policy.escalation.method_types import EdgeVerb
from iam.policy.escalation.methods import of_sort
from iam.policy.escalation.permission_checks import (
    HOME,
    NOBODY,
    REGION,
    CheckSource,
    CheckTarget,
    PermissionAsker,
    PrincipalBits,
)
from iam.policy.escalation.states import AS_IT_IS, row_in
from iam.policy.escalation.trusts import accounts_named, admits_strangers
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.index import PolicyIndex
from iam.policy.index.rows import NOTHING, AccountRows, GroupRow, PolicyHoldings, PolicyRow, PrincipalRow
from iam.policy.index.scenario import row_of
from iam.policy.index.shard import AccountShard


@dataclass(frozen=True, slots=True)
class AccountCrossing:
    """A way from nodes of one account into a node of another."""

    account: str
    to_account: str
    to_node: int
    parts: tuple[tuple[StepOption, ...], ...]
    bits: PrincipalBits


class StrangerRole(NamedTuple):
    """A role that principals of other accounts may assume. `named` are those accounts; None means any."""

    member: IndexedPrincipal
    node: int
    named: frozenset[str] | None

    @property
    def account(self) -> str:
        """The role's account."""
        return self.member.account

    def may_mean(self, account: str) -> bool:
        """Return True if the trust policy may admit a principal of the account."""
        return self.named is None or account in self.named

    @property
    def subject(self) -> NeedSubject:
        """The role as a subject for the steps of paths."""
        return NeedSubject("role", self.member.arn, self.member.name, self.member.id, self.member)

    @property
    def target(self) -> CheckTarget:
        """The role as a target of permission checks."""
        return CheckTarget(self.member.arn, self.member.tags, "", self.member.trust, account=self.account)


def roles_open_to_others(
    index: PolicyIndex, account_graphs: Mapping[str, AccountGraph]
) -> Iterator[StrangerRole]:
    """Yield the roles that principals of other accounts may assume."""
    for number, account_graph in account_graphs.items():
        for member in index.accounts[number].members.values():
            node = account_graph.place.get((member.id, AS_IT_IS))
            if node is not None and admits_strangers(member.trust, number):
                yield StrangerRole(member, node, accounts_named(member.trust))


def crossings_from(
    index: PolicyIndex, shard: AccountShard, account_graph: AccountGraph, roles: list[StrangerRole]
) -> Iterator[AccountCrossing]:
    """Yield which principals of one account can assume which roles of others."""
    (method,) = of_sort(EdgeVerb.ASSUME, retags=False)
    (need,) = method.needs
    asker = PermissionAsker()
    asker.use(
        [node_source(index, shard, account_graph, roles)],
        more=[r.member.trust for r in roles if r.member.trust],
    )
    is_regional = REGION in asker.keys(need.action)
    principals = [NOBODY] * len(roles)
    for region in account_graph.regions if is_regional else [HOME]:
        asked = asker.on_targets(need.action, [r.target for r in roles], {"aws:RequestedRegion": region})
        principals = [before | other for before, other in zip(principals, asked, strict=True)]
    for role, bits in zip(roles, principals, strict=True):
        if bits.any:
            parts = ((StepOption(method, role.subject, bits),),)
            yield AccountCrossing(shard.number, role.account, role.node, parts, bits)


def node_source(
    index: PolicyIndex, shard: AccountShard, account_graph: AccountGraph, roles: Iterable[StrangerRole] = ()
) -> CheckSource:
    """Return all nodes of an account in a separate index, together with the roles. Nodes without SCPs are
    checked as if they still had them.
    """
    rows, bits = [], {}
    for place, node in enumerate(account_graph.nodes):
        if node.member is not None:
            rows.append(row_in(node.member, node.state, place, shard.groups))
            bits[place] = 1 << place
    source_index = PolicyIndex(index.documents, moment=index.moment)
    source_index.enter_account(_rows(shard, rows, shard.groups.values(), shard.policies.values()))
    by_account: dict[str, list[PrincipalRow]] = {}
    for role in roles:
        by_account.setdefault(role.account, []).append(replace(row_of(role.member), grants=NOTHING))
    for number, grants in by_account.items():
        source_index.enter_account(_rows(index.accounts[number], grants, (), ()))
    return CheckSource(source_index, shard.number, bits)


def _rows(
    shard: AccountShard, rows: list[PrincipalRow], groups: Iterable[GroupRow], policies: Iterable[PolicyRow]
) -> AccountRows:
    return AccountRows(rows, groups, policies, (), shard.number, shard.partition, shard.standing)


def as_node(member: IndexedPrincipal, grants: PolicyHoldings, *, is_tagged: bool = False) -> IndexedPrincipal:
    """Return the same principal with other grants, for queries outside any index. `is_tagged` means that the
    attacker chooses its tags.
    """
    tags = None if is_tagged else member.tags
    node_member = IndexedPrincipal(
        member.id, member.arn, unique_id=member.unique_id, grants=grants, tags=tags, trust=member.trust
    )
    node_member.cls = member.cls
    return node_member


def by_permission_sets(
    index: PolicyIndex, account_graphs: Mapping[str, AccountGraph]
) -> Iterator[AccountCrossing]:
    """Yield the ways by which those who write permission sets or change root users in the management account
    reach every account of the organization.
    """
    for number, account_graph in account_graphs.items():
        ways = [
            *(
                w
                for w in account_graph.inward.get(ADMINISTRATOR, ())
                if w.parts[0][0].method.sort is EdgeVerb.SIGN_ON
            ),
            *account_graph.outward,
        ]
        organization = index.accounts[number].standing.organization_id
        if not ways or not organization:
            continue
        for other in account_graphs:
            if other != number and index.accounts[other].standing.organization_id == organization:
                subject = account_subject(other, index.accounts[other].partition)
                for way in ways:
                    parts = tuple(
                        tuple(replace(member, subject=subject) for member in part) for part in way.parts
                    )
                    yield AccountCrossing(number, other, ADMINISTRATOR, parts, who_has_any(parts[0]))
