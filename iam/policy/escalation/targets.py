"""The targets of the methods: roles, users, groups and policies of one account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from iam.policy.escalation.account_graph import AccountGraph, NeedSubject
from iam.policy.escalation.permission_checks import CheckTarget
from iam.policy.escalation.states import ATTACHED, INLINE, LEFT, OutsideFacts, PolicyRemoval, can_be_edited
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.rows import PolicyHoldings
from iam.policy.index.shard import AccountShard
from iam.policy.request import PrincipalKind

AWS_OWNED = ":iam::aws:"


@dataclass(frozen=True, slots=True)
class TargetSubject:
    """A subject together with the target that permission checks use."""

    subject: NeedSubject
    target: CheckTarget


class EscalationTargets:
    """All targets in one account. Service-linked roles and roles of IAM Identity Center can't be edited and
    are left out.
    """

    def __init__(self, shard: AccountShard, account_graph: AccountGraph, facts: OutsideFacts) -> None:
        self._shard = shard
        self._facts = facts
        self._denying: dict[IndexedDocument, bool] = {}
        self._denying_groups: dict[int, tuple[PolicyRemoval, ...]] = {}
        self._denying_members: dict[int, tuple[PolicyRemoval, ...]] = {}
        self.masks: dict[int, int] = defaultdict(int)
        for (number, _), node in account_graph.place.items():
            self.masks[number] |= 1 << node
        self.roles: list[TargetSubject] = []
        self.users: list[TargetSubject] = []
        self.editable_roles: list[TargetSubject] = []
        for member in shard.members.values():
            if member.kind is PrincipalKind.USER:
                self.users.append(self._member(member))
            elif member.kind is PrincipalKind.ROLE:
                role = self._member(member)
                self.roles.append(role)
                if can_be_edited(member):
                    self.editable_roles.append(role)
        self.groups = [self._group(number) for number in shard.groups]
        self.policies: list[TargetSubject] = []
        for number, row in shard.policies.items():
            if row.name.startswith("arn:") and AWS_OWNED not in row.name:
                self.policies.append(self._policy(number, row.name))

    def _member(self, member: IndexedPrincipal) -> TargetSubject:
        boundary = self._shard.boundary_of(member.grants)
        boundary_arn = "" if boundary is None else boundary[0]
        target = CheckTarget(
            member.arn,
            member.tags,
            boundary_arn,
            member.trust,
            self.masks.get(member.id, 0),
        )
        kind = "role" if member.kind is PrincipalKind.ROLE else "user"
        return TargetSubject(NeedSubject(kind, member.arn, member.name, member.id, member), target)

    def _group(self, number: int) -> TargetSubject:
        name = self._shard.groups[number].name
        arn = self._facts.group_arns.get(number)
        if arn is None:
            arn = f"arn:{self._shard.partition}:iam::{self._shard.number}:group/{name}"
        return TargetSubject(NeedSubject("group", arn, name, number), CheckTarget(arn))

    def _policy(self, number: int, arn: str) -> TargetSubject:
        return TargetSubject(NeedSubject("policy", arn, arn.rpartition("/")[2], number), CheckTarget(arn))

    def groups_of(self, member: IndexedPrincipal) -> tuple[int, ...]:
        """Return the known groups of a principal."""
        return tuple(number for number in member.grants.groups if number in self._shard.groups)

    def policies_of(self, member: IndexedPrincipal) -> set[int]:
        """Return the policies attached to a principal or to its groups."""
        policies = set(member.grants.attached)
        for number in self.groups_of(member):
            policies |= set(self._grants_of_group(number).attached)
        return policies

    def denying_of(self, member: IndexedPrincipal) -> tuple[PolicyRemoval, ...]:
        """Return the policies of a principal and of its groups that deny something."""
        removals = self._denying_members.get(member.id)
        if removals is None:
            of_groups = chain.from_iterable(map(self.denying_in_group, self.groups_of(member)))
            removals = self._denying_members[member.id] = (*self._denying_in(member.grants, 0), *of_groups)
        return removals

    def denying_copies(self, member: IndexedPrincipal, policy: int) -> tuple[PolicyRemoval, ...]:
        """Return each place from which a principal has a managed policy that denies."""
        denying = self.denying_of(member)
        copies = [each for each in denying if each.kind == ATTACHED and each.name == str(policy)]
        return tuple(sorted(copies))

    def denying_in_group(self, number: int) -> tuple[PolicyRemoval, ...]:
        """Return the policies of a group that deny something, and the group itself if there are any."""
        removals = self._denying_groups.get(number)
        if removals is None:
            policies = tuple(self._denying_in(self._grants_of_group(number), number))
            removals = self._denying_groups[number] = (
                (*policies, PolicyRemoval(LEFT, number, "")) if policies else ()
            )
        return removals

    def _denying_in(self, grants: PolicyHoldings, group: int) -> Iterator[PolicyRemoval]:
        named = self._shard.named_policies(PolicyHoldings(grants.inline, grants.attached))
        for place, (_, doc) in enumerate(named):
            if not self._is_denying(doc):
                continue
            if place < len(grants.inline):
                yield PolicyRemoval(INLINE, group, grants.inline[place][0])
            else:
                yield PolicyRemoval(ATTACHED, group, str(grants.attached[place - len(grants.inline)]))

    def _is_denying(self, doc: IndexedDocument) -> bool:
        denies = self._denying.get(doc)
        if denies is None:
            denies = self._denying[doc] = any(not clause.allows for clause in doc.clauses)
        return denies

    def arn_of_policy(self, number: int) -> str:
        """Return the ARN of an attached policy, or an empty string if the policy was not synced."""
        row = self._shard.policies.get(number)
        return "" if row is None else row.name

    def _grants_of_group(self, number: int) -> PolicyHoldings:
        return self._shard.groups[number].grants
