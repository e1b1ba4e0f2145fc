"""Principals that someone can create with every permission: a role that the creator assumes, or a user for
whom it creates credentials.

The new principal is as unrestricted as its creator can make it: without a permissions boundary, with one that
can be removed or rewritten, or with one that stays. Source: "Delegating responsibility to others using
permissions boundaries".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Final, NamedTuple

from iam.policy.escalation.account_graph import (
    ActingPrincipal,
    EscalationWay,
    NeedSubject,
    StepOption,
    who_has_any,
)
from iam.policy.escalation.attachable import values_of
from iam.policy.escalation.condition_facts import BOUNDARY
from iam.policy.escalation.method_types import EdgeVerb, EscalationMethod
from iam.policy.escalation.methods import TAKE_ROLE, of_sort
from iam.policy.escalation.names import matching_names, template_of
from iam.policy.escalation.permission_checks import NOBODY, CheckTarget, PermissionAsker, PrincipalBits
from iam.policy.escalation.states import ADMINISTRATOR_ACCESS, OPEN_TRUST, PrincipalState, new_member
from iam.policy.escalation.targets import EscalationTargets, TargetSubject
from iam.policy.glob import compile_glob
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.shard import AccountShard

MAX_NAMES: Final = 12
MAX_BOUNDARIES: Final = 6
CREATE: Final = {"role": "iam:CreateRole", "user": "iam:CreateUser"}
FURTHER: Final = {
    "role": ("iam:PutRolePolicy", "iam:AttachRolePolicy"),
    "user": ("iam:PutUserPolicy", "iam:AttachUserPolicy", "iam:CreateAccessKey", "iam:CreateLoginProfile"),
}
On = Callable[[EscalationMethod, Sequence[TargetSubject]], list[StepOption]]
"""A function that returns the options of a method on each target."""


class NewPrincipalPath(NamedTuple):
    """A way to a new principal in a state. Without a member, it leads to an administrator of the account."""

    member: IndexedPrincipal | None
    state: PrincipalState
    way: EscalationWay


@dataclass(frozen=True, slots=True)
class _Boundary:
    """A permissions boundary for a new principal. `number` None means none, or one that allows everything."""

    arn: str
    number: int | None = None


NONE: Final = _Boundary("")
WIDE: Final = _Boundary(ADMINISTRATOR_ACCESS)


class NewPrincipals:
    """The new principals of an account, kept for all rounds so that each is one node however often it is
    found.
    """

    def __init__(self, shard: AccountShard, numbers: count[int]) -> None:
        self.shard, self._numbers = shard, numbers
        self._known: dict[tuple[str, int | None, bool], IndexedPrincipal] = {}
        self._nodes: dict[int, list[tuple[PrincipalState, int]]] = {}

    def member(self, arn: str, boundary: int | None, tags: Mapping[str, str] | None) -> IndexedPrincipal:
        """Return the new principal with an ARN and boundary."""
        key = arn, boundary, tags is None
        known_member = self._known.get(key)
        if known_member is None:
            number = next(self._numbers)
            known_member = self._known[key] = new_member(
                self.shard.root, arn, number, boundary=boundary, tags=tags
            )
        return known_member

    def remember(self, member: IndexedPrincipal, state: PrincipalState, node: int) -> None:
        """Record the node of a new principal."""
        self._nodes.setdefault(member.id, []).append((state, node))

    def nodes_of(self, member: IndexedPrincipal) -> list[tuple[PrincipalState, int]]:
        """Return the states in which a new principal is a node."""
        return self._nodes.get(member.id, [])

    @property
    def bounded(self) -> Iterator[IndexedPrincipal]:
        """The new principals with a boundary."""
        return (member for member in self._known.values() if member.grants.boundary is not None)


class NewPrincipalFinder:
    """Finds the ways to new principals in one round."""

    def __init__(
        self,
        asker: PermissionAsker,
        targets: EscalationTargets,
        new: NewPrincipals,
        act: ActingPrincipal,
        *,
        on: On,
    ) -> None:
        """`on` returns the options of a method on each target."""
        self._asker = asker
        self._targets = targets
        self._new = new
        self._act = act
        self._on = on
        self._shard = new.shard
        self._covered: dict[tuple[str, bool, int | None, PrincipalState], PrincipalBits] = {}
        self._existing = {member.arn for member in new.shard.members.values()}

    def leads(self) -> Iterator[NewPrincipalPath]:
        """Yield all ways, except those that help no one beyond earlier ones."""
        for kind in CREATE:
            for lead in self._of_kind(kind):
                boundary = None if lead.member is None else lead.member.grants.boundary
                key = kind, lead.member is None, boundary, lead.state
                seen = self._covered.get(key, NOBODY)
                if _is_new(lead.way.bits, seen):
                    self._covered[key] = seen | lead.way.bits
                    yield lead

    def roles(self) -> Iterator[tuple[tuple[StepOption, ...], TargetSubject]]:
        """Yield new roles without a boundary, and how they are created with every permission, for principals
        that can pass them to a service.
        """
        for name in self._names("role"):
            aim = self._aim("role", name, NONE, {})
            made = self._made("role", aim)
            if made:
                yield made, aim

    def _of_kind(self, kind: str) -> Iterator[NewPrincipalPath]:
        covered = NOBODY
        boundaries = (NONE, WIDE) if self._reads_boundary(kind) else (NONE,)
        for aim in self._aims(kind, boundaries):
            for lead in self._unlimited(kind, aim):
                covered |= lead.way.bits
                yield lead
            yield from self._by_groups(kind, aim)
        if self._reads_boundary(kind):
            yield from self._bounded(kind, covered)

    def _aims(self, kind: str, boundaries: Sequence[_Boundary]) -> Iterator[TargetSubject]:
        for name in self._names(kind):
            for tags in self._tags(kind):
                for boundary in boundaries:
                    yield self._aim(kind, name, boundary, tags)

    def _unlimited(self, kind: str, aim: TargetSubject) -> Iterator[NewPrincipalPath]:
        made = self._made(kind, aim)
        taken = self._taken(kind, aim) if made else ()
        bits = who_has_any(made) & who_has_any(taken)
        if bits.any:
            yield NewPrincipalPath(None, PrincipalState(full=True), EscalationWay((made, taken), bits))

    def _bounded(self, kind: str, covered: PrincipalBits) -> Iterator[NewPrincipalPath]:
        """Yield new principals that must have a certain boundary: without it after another call, or within
        what it allows.
        """
        for boundary in self._boundaries(kind):
            for aim in self._aims(kind, [boundary]):
                made = self._made(kind, aim)
                taken = self._taken(kind, aim) if made else ()
                bits = who_has_any(made) & who_has_any(taken)
                if not _is_new(bits, covered):
                    continue
                unbound = self._unbound(kind, aim)
                together = bits & who_has_any(unbound)
                if together.any:
                    yield NewPrincipalPath(
                        None,
                        PrincipalState(unbound=True, full=True),
                        EscalationWay((made, unbound, taken), together),
                    )
                yield NewPrincipalPath(
                    aim.subject.member, PrincipalState(full=True), EscalationWay((made, taken), bits)
                )
                yield from self._by_groups(kind, aim)

    def _by_groups(self, kind: str, aim: TargetSubject) -> Iterator[NewPrincipalPath]:
        """Yield a new user in an existing group."""
        if kind != "user":
            return
        (plain,) = (m for m in of_sort(EdgeVerb.CREATE, of="user") if len(m.needs) == 1)
        made = tuple(alternative for alternative in self._on(plain, [aim]) if alternative.bits.any)
        taken = self._taken(kind, aim) if made else ()
        bits = who_has_any(made) & who_has_any(taken)
        if not bits.any:
            return
        for method in of_sort(EdgeVerb.JOIN):
            for group in self._on(method, self._targets.groups):
                able = bits & group.bits
                if able.any:
                    way = EscalationWay((made, (group,), taken), able)
                    yield NewPrincipalPath(
                        aim.subject.member, PrincipalState(groups=(group.subject.number,)), way
                    )

    def _unbound(self, kind: str, aim: TargetSubject) -> tuple[StepOption, ...]:
        unbound: list[StepOption] = []
        for method in of_sort(EdgeVerb.UNBOUND, of=kind):
            unbound += self._on(method, [aim])
        policies = [
            boundary_aim
            for boundary_aim in self._targets.policies
            if boundary_aim.target.arn == aim.target.boundary
        ]
        for method in of_sort(EdgeVerb.GRANT, of="policy"):
            unbound += self._on(method, policies)
        return tuple(alternative for alternative in unbound if alternative.bits.any)

    def _made(self, kind: str, aim: TargetSubject) -> tuple[StepOption, ...]:
        methods = [m for m in of_sort(EdgeVerb.CREATE, of=kind) if len(m.needs) > 1]
        alternatives = chain.from_iterable(self._on(method, [aim]) for method in methods)
        return tuple(alternative for alternative in alternatives if alternative.bits.any)

    def _taken(self, kind: str, aim: TargetSubject) -> tuple[StepOption, ...]:
        if kind == "user":
            alternatives: list[StepOption] = []
            for method in of_sort(EdgeVerb.SIGN_IN, retags=False):
                # A new user has no credentials to update.
                if not method.name.startswith("iam-update"):
                    alternatives += self._on(method, [aim])
            return tuple(alternative for alternative in alternatives if alternative.bits.any)
        (bits,) = self._asker.on_targets("sts:AssumeRole", [aim.target], {}, policy=OPEN_TRUST)
        bits = self._act.of(bits)
        return (StepOption(TAKE_ROLE, aim.subject, bits),) if bits.any else ()

    def _aim(self, kind: str, arn: str, boundary: _Boundary, tags: Mapping[str, str] | None) -> TargetSubject:
        member = self._new.member(arn, boundary.number, tags)
        subject = NeedSubject(kind, arn, member.name, member.id, member, boundary.arn)
        return TargetSubject(subject, CheckTarget(arn, tags, boundary.arn))

    def _names(self, kind: str) -> tuple[str, ...]:
        create = self._asker.clauses(CREATE[kind])
        if not any(clause.allows for clause in create):
            return ()
        template = template_of(
            CREATE[kind], kind, partition=self._shard.partition, region="", account=self._shard.number
        )
        names: dict[str, None] = {}
        for action in FURTHER[kind]:
            names |= dict.fromkeys(matching_names([create, self._asker.clauses(action)], template))
        return tuple(name for name in names if name not in self._existing)[:MAX_NAMES]

    def _tags(self, kind: str) -> tuple[Mapping[str, str] | None, ...]:
        """Return the tags to try: none, and unknown ones if statements read tags."""
        keys = set(chain.from_iterable(map(self._asker.keys, (CREATE[kind], *FURTHER[kind]))))
        return ({}, None) if any("resourcetag/" in key for key in keys) else ({},)

    def _reads_boundary(self, kind: str) -> bool:
        actions = (CREATE[kind], *FURTHER[kind])
        return any(BOUNDARY in self._asker.keys(action) for action in actions)

    def _boundaries(self, kind: str) -> list[_Boundary]:
        """Return the policies that statements name as permissions boundaries."""
        clauses = list(chain.from_iterable(map(self._asker.clauses, (CREATE[kind], *FURTHER[kind]))))
        matchers = [compile_glob(value) for value in dict.fromkeys(values_of(clauses, BOUNDARY))]
        boundaries = [
            _Boundary(row.name, number)
            for number, row in self._shard.policies.items()
            if any(matches(row.name) for matches in matchers)
        ]
        return boundaries[:MAX_BOUNDARIES]


def new_groups(
    asker: PermissionAsker, targets: EscalationTargets, shard: AccountShard, *, on: On
) -> list[StepOption]:
    """Return new groups with every permission that the acting user joins."""
    template = template_of(
        "iam:CreateGroup", "group", partition=shard.partition, region="", account=shard.number
    )
    existing = {aim.target.arn for aim in targets.groups}
    groups_made: list[StepOption] = []
    for method in of_sort(EdgeVerb.OWN):
        create, *others = (asker.clauses(need.action) for need in method.target_needs)
        if not any(clause.allows for clause in create):
            continue
        fitting_names = chain.from_iterable(matching_names([create, other], template) for other in others)
        names = dict.fromkeys(fitting_names)
        aims = [
            TargetSubject(NeedSubject("group", name, name.rpartition("/")[2], 0), CheckTarget(name))
            for name in names
            if name not in existing
        ]
        seen = NOBODY
        for alternative in on(method, aims):
            if _is_new(alternative.bits, seen):
                seen |= alternative.bits
                groups_made.append(alternative)
    return groups_made


def _is_new(bits: PrincipalBits, covered: PrincipalBits) -> bool:
    return bool(bits.sure & ~covered.sure or bits.any & ~covered.any)
