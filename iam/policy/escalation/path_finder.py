"""Goes through the methods and finds which of the acting principals can use which method on which target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from iam.policy.escalation.account_graph import (
    ActingPrincipal,
    EscalationWay,
    NeedSubject,
    StepOption,
    who_has_any,
)
from iam.policy.escalation.choices import TargetChoices
from iam.policy.escalation.federation import find_federation
from iam.policy.escalation.found_paths import FoundPaths
from iam.policy.escalation.instances import OF_INSTANCES, EscalationInstances
from iam.policy.escalation.management import find_management
from iam.policy.escalation.method_checks import MethodChecks
from iam.policy.escalation.method_types import EdgeVerb, EscalationMethod
from iam.policy.escalation.methods import EC2, PASS_ROLE, of_sort
from iam.policy.escalation.new_principals import (
    NewPrincipalFinder,
    NewPrincipalPath,
    NewPrincipals,
    new_groups,
)
from iam.policy.escalation.permission_checks import NOBODY, CheckTarget, PermissionAsker, PrincipalBits
from iam.policy.escalation.removed_denies import DenyRemovalFinder
from iam.policy.escalation.states import (
    INLINE,
    OPEN_TRUST,
    OutsideFacts,
    PolicyRemoval,
    PrincipalState,
)
from iam.policy.escalation.tags import OwnTags, can_matter
from iam.policy.escalation.targets import EscalationTargets, TargetSubject
from iam.policy.escalation.trusts import ServiceTrusts, admits_people
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.shard import AccountShard
from iam.policy.logic import YES
from iam.policy.request import PrincipalKind


class PathFinder:
    """Finds the paths of one round in one account."""

    def __init__(
        self,
        asker: PermissionAsker,
        choices: TargetChoices,
        targets: EscalationTargets,
        nodes: Mapping[int, int],
        facts: OutsideFacts,
        shard: AccountShard,
        policies: tuple[str, ...],
        new: NewPrincipals,
        services: ServiceTrusts,
    ) -> None:
        """`nodes` are the principals' nodes in their current state, by number. `policies` can be attached,
        `new` are the principals that can be created, and `services` tells which services roles trust.
        """
        self._asker = asker
        self._choices = choices
        self._targets = targets
        self._nodes = nodes
        self._facts = facts
        self._shard = shard
        self._checks = MethodChecks(asker, shard, policies)
        self._new = new
        self._services = services
        self._instances = EscalationInstances(choices, facts)

    def find(self, act: ActingPrincipal) -> FoundPaths:
        """Return all options of the acting principals."""
        reachable = FoundPaths()
        self._find_becoming(reachable, act)
        self._find_services(reachable, act)
        find_federation(
            reachable,
            act,
            asker=self._asker,
            roles=self._targets.roles,
            nodes=self._nodes,
            account=self._shard.number,
        )
        self._find_edits(reachable, act)
        self._find_new(reachable, act)
        find_management(reachable, act, choices=self._choices, shard=self._shard)
        return reachable

    def _find_becoming(self, reachable: FoundPaths, act: ActingPrincipal) -> None:
        open_roles = [aim for aim in self._targets.roles if admits_people(aim.target.trust)]
        for method in of_sort(EdgeVerb.ASSUME):
            if not method.retags or can_matter(self._asker, method):
                assuming = self._checks.in_any_region(method, open_roles)
                self._add_paths(reachable, method, open_roles, assuming, act)
        for method in of_sort(EdgeVerb.RETRUST):
            self._find_retrusting(reachable, method, act)
        for method in of_sort(EdgeVerb.SIGN_IN):
            users = [aim for aim in self._targets.users if self._has_use(method, aim)]
            self._add_paths(reachable, method, users, self._checks.on(method, users), act)

    def _find_retrusting(self, reachable: FoundPaths, method: EscalationMethod, act: ActingPrincipal) -> None:
        """Find roles with a trust policy that someone can rewrite in order to assume them."""
        roles = self._targets.editable_roles
        rewriting = self._checks.on(method, roles)
        if not any(act.of(bits).any for bits in rewriting):
            return
        targets = [aim.target for aim in roles]
        assuming = self._asker.on_targets("sts:AssumeRole", targets, {}, policy=OPEN_TRUST)
        both = [rewrites & assumes for rewrites, assumes in zip(rewriting, assuming, strict=True)]
        self._add_paths(reachable, method, roles, both, act)

    def _has_use(self, method: EscalationMethod, aim: TargetSubject) -> bool:
        """Return False if a method would create a password that exists, or reset one that doesn't."""
        has_password = self._facts.passwords.get(aim.subject.number)
        if has_password is None or method.name.startswith("iam-create-access-key"):
            return True
        return has_password is method.name.startswith("iam-update-login-profile")

    def _find_services(self, reachable: FoundPaths, act: ActingPrincipal) -> None:
        methods = (*of_sort(EdgeVerb.PASS), *of_sort(EdgeVerb.EXISTING))
        services = dict.fromkeys(method.trusted for method in methods)
        roles = self._targets.roles
        trusting = {service: self._services.trusting(roles, service) for service in services}
        passes = self._passable_roles(trusting)
        for method in methods:
            aims = self._usable_roles(method, trusting[method.trusted])
            if not aims:
                continue
            if method.sort is EdgeVerb.PASS and method.service not in passes:
                continue
            does = act.of(self._choices.bits(method, act.everybody))
            works_by_instance = method.name in OF_INSTANCES and self._facts.running
            if does.any or works_by_instance:
                self._add_service_paths(reachable, method, aims, does, act, passes)

    def _passable_roles(
        self, trusting: Mapping[str, list[tuple[TargetSubject, int]]]
    ) -> dict[str, dict[int, PrincipalBits]]:
        """Return who can pass each role to each service, for roles that someone can pass."""
        passes: dict[str, dict[int, PrincipalBits]] = {}
        if not any(clause.allows for clause in self._asker.clauses(PASS_ROLE.action)):
            return passes
        for method in of_sort(EdgeVerb.PASS):
            if method.service in passes:
                continue
            roles = [aim for aim, _ in trusting[method.trusted]]
            bits = self._checks.on(method, roles)
            if any(principals.any for principals in bits):
                numbers = (role.subject.number for role in roles)
                passes[method.service] = dict(zip(numbers, bits, strict=True))
        return passes

    def _add_service_paths(
        self,
        reachable: FoundPaths,
        method: EscalationMethod,
        aims: list[tuple[TargetSubject, int]],
        does: PrincipalBits,
        act: ActingPrincipal,
        passes: Mapping[str, Mapping[int, PrincipalBits]],
    ) -> None:
        """Add the paths by a service. `aims` are roles with the mark of their trust policy. `does` is who can
        do what the method needs besides passing a role.
        """
        is_passing = method.sort is EdgeVerb.PASS
        passing = passes[method.service] if is_passing else {}
        all_bits = []
        for aim, mark in aims:
            number = aim.subject.number
            is_unsure = mark != YES
            if self._instances.usable_by(method, number):
                bits = self._instances.bits(method, number, act)
            else:
                bits = does
                if is_passing:
                    bits &= passing.get(number, NOBODY)
                is_unsure = is_unsure or bool(method.assumes)
            if is_unsure:
                bits = bits.as_unsure
            all_bits.append(bits)
        roles = [aim for aim, _ in aims]
        self._add_paths(reachable, method, roles, all_bits, act)

    def _usable_roles(
        self, method: EscalationMethod, aims: list[tuple[TargetSubject, int]]
    ) -> list[tuple[TargetSubject, int]]:
        """Return the roles that EC2 can use: those in an instance profile, or all if one is created."""
        profiled = self._facts.profiled.get(self._shard.number)
        if method.trusted != EC2 or profiled is None or method.makes_profile:
            return aims
        return [(aim, mark) for aim, mark in aims if aim.subject.number in profiled]

    def _find_edits(self, reachable: FoundPaths, act: ActingPrincipal) -> None:
        self._edit_members(reachable, act)
        checks = self._checks
        groups = checks.options_by_number(of_sort(EdgeVerb.GRANT, of="group"), self._targets.groups, act)
        policies = checks.options_by_number(of_sort(EdgeVerb.GRANT, of="policy"), self._targets.policies, act)
        joins = checks.options_by_number(of_sort(EdgeVerb.JOIN), self._targets.groups, act)
        own = new_groups(
            self._asker, self._targets, self._shard, on=lambda method, aims: checks.options(method, aims, act)
        )
        for aim in (*self._targets.users, *self._targets.editable_roles):
            member = aim.subject.member
            assert member is not None
            for number in self._targets.groups_of(member):
                for alternative in groups.get(number, ()):
                    replaced = self._replaced_by(alternative.method, member, number)
                    reachable.edits[member.id].full[replaced].append(alternative)
            for number in sorted(self._targets.policies_of(member)) if policies else ():
                for alternative in policies.get(number, ()):
                    replaced = self._targets.denying_copies(member, number)
                    reachable.edits[member.id].full[replaced].append(alternative)
            if member.grants.boundary is not None and member.grants.boundary in policies:
                reachable.edits[member.id].unbound.extend(policies[member.grants.boundary])
            if aim.subject.kind == "user":
                for number, joining in joins.items():
                    if number not in member.grants.groups:
                        reachable.edits[member.id].groups[number] = joining
                if own:
                    reachable.edits[member.id].own.extend(own)
        self._restore(reachable, act)
        DenyRemovalFinder(self._targets, act, on=checks.on).add_to(reachable.edits)
        OwnTags(self._targets).add_to(reachable.edits, act, on=checks.on)

    def _replaced_by(
        self, method: EscalationMethod, member: IndexedPrincipal, group: int
    ) -> tuple[PolicyRemoval, ...]:
        """Return the denying inline policies that the same call overwrites, of a principal (group 0) or of a
        group.
        """
        if not method.needs[-1].action.startswith("iam:Put"):
            return ()
        denying = self._targets.denying_of(member)
        overwritten = [each for each in denying if each.kind == INLINE and each.group == group]
        return tuple(sorted(overwritten))

    def _find_new(self, reachable: FoundPaths, act: ActingPrincipal) -> None:
        creating = NewPrincipalFinder(
            self._asker,
            self._targets,
            self._new,
            act,
            on=lambda method, aims: self._checks.options(method, aims, act),
        )
        reachable.new = list(creating.leads())
        covered = NOBODY
        for lead in reachable.new:
            if lead.member is None:
                covered |= lead.way.bits
        for made, aim in creating.roles():
            left = who_has_any(made)
            if left.any & ~covered.any or left.sure & ~covered.sure:
                reachable.new += self._passing_new(made, aim, act)
        for member in self._new.bounded:
            reachable.new += self._unbinding(member, act)

    def _passing_new(
        self, made: tuple[StepOption, ...], aim: TargetSubject, act: ActingPrincipal
    ) -> Iterator[NewPrincipalPath]:
        """Yield paths that pass a new role, which trusts what its creator wants, to a service."""
        passed: list[StepOption] = []
        for method in of_sort(EdgeVerb.PASS):
            if method.trusted == EC2 and not method.makes_profile:
                continue
            does = act.of(self._choices.bits(method, act.everybody)) & who_has_any(made)
            if does.any:
                (bits,) = self._checks.on(method, [aim])
                able = bits & does
                if able.any:
                    able = able.as_unsure if method.assumes else able
                    passed.append(StepOption(method, aim.subject, able))
        if passed:
            parts = made, tuple(passed)
            yield NewPrincipalPath(
                None,
                PrincipalState(full=True),
                EscalationWay(parts, who_has_any(made) & who_has_any(parts[1])),
            )

    def _unbinding(self, member: IndexedPrincipal, act: ActingPrincipal) -> Iterator[NewPrincipalPath]:
        """Yield paths on which a new principal removes its own permissions boundary."""
        boundary = self._shard.boundary_of(member.grants)
        assert boundary is not None
        for state, node in self._new.nodes_of(member):
            if not act.everybody >> node & 1 or not state.full:
                continue
            kind = "user" if member.kind is PrincipalKind.USER else "role"
            subject = NeedSubject(kind, member.arn, member.name, member.id, member)
            aim = TargetSubject(subject, CheckTarget(member.arn, member.tags, boundary[0], mask=1 << node))
            policies = [
                policy_aim for policy_aim in self._targets.policies if policy_aim.target.arn == boundary[0]
            ]
            part: list[StepOption] = []
            for method in of_sort(EdgeVerb.UNBOUND, of=kind):
                part += self._checks.options(method, [aim], act)
            for method in of_sort(EdgeVerb.GRANT, of="policy"):
                part += self._checks.options(method, policies, act)
            bits = who_has_any(tuple(part)).limited_to(1 << node)
            if bits.any:
                yield NewPrincipalPath(
                    None, PrincipalState(unbound=True, full=True), EscalationWay((tuple(part),), bits)
                )

    def _edit_members(self, reachable: FoundPaths, act: ActingPrincipal) -> None:
        for kind, aims in (("user", self._targets.users), ("role", self._targets.editable_roles)):
            for method in of_sort(EdgeVerb.GRANT, of=kind):
                for aim, able in self._checks.able_on(method, aims, act):
                    member = aim.subject.member
                    assert member is not None
                    replaced = self._replaced_by(method, member, 0)
                    alternative = self._checks.option(method, aim.subject, able)
                    reachable.edits[aim.subject.number].full[replaced].append(alternative)
            bounded = [aim for aim in aims if aim.target.boundary]
            for method in of_sort(EdgeVerb.UNBOUND, of=kind):
                for aim, able in self._checks.able_on(method, bounded, act):
                    reachable.edits[aim.subject.number].unbound.append(StepOption(method, aim.subject, able))

    def _restore(self, reachable: FoundPaths, act: ActingPrincipal) -> None:
        versions = self._facts.versions or {}
        aims = [aim for aim in self._targets.policies if versions.get(aim.subject.number)]
        restored = self._checks.options_by_number(of_sort(EdgeVerb.RESTORE), aims, act)
        if not restored:
            return
        for aim in (*self._targets.users, *self._targets.editable_roles):
            member = aim.subject.member
            assert member is not None
            for number in sorted(self._targets.policies_of(member) & restored.keys()):
                copies = self._targets.denying_copies(member, number)
                edits = reachable.edits[member.id]
                edits.replaced[number] = tuple(copy for copy in copies if copy.group)
                for digest in versions[number]:
                    edits.versions[number, digest] = restored[number]

    def _add_paths(
        self,
        reachable: FoundPaths,
        method: EscalationMethod,
        aims: Sequence[TargetSubject],
        bits: Sequence[PrincipalBits],
        act: ActingPrincipal,
    ) -> None:
        for aim, mark in zip(aims, bits, strict=True):
            able = act.of(mark).limited_to(~aim.target.mask)
            node = self._nodes.get(aim.subject.number)
            if able.any and node is not None:
                reachable.become[node].append(StepOption(method, aim.subject, able))
