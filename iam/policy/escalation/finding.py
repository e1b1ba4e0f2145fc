"""Goes through the methods, and finds who of the principals that are asked can use which on whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from iam.policy.escalation.asking import EVERYBODY, HOME, NOBODY, REGION, Asker, Bits, Target
from iam.policy.escalation.attachable import is_attaching
from iam.policy.escalation.choices import Choices
from iam.policy.escalation.edits import Edits
from iam.policy.escalation.estate import Acting, Alternative, Subject
from iam.policy.escalation.methods import EC2, Method, Sort, of_sort
from iam.policy.escalation.states import ADMINISTRATOR_ACCESS, OPEN_TRUST, Facts
from iam.policy.escalation.targets import Aim, Targets
from iam.policy.escalation.trusts import Services, admits_people
from iam.policy.index.shard import Shard
from iam.policy.logic import NO, YES

CHOSEN: dict[str, dict[str, Any]] = {
    "iam:PutUserPermissionsBoundary": {"iam:PermissionsBoundary": ADMINISTRATOR_ACCESS},
    "iam:PutRolePermissionsBoundary": {"iam:PermissionsBoundary": ADMINISTRATOR_ACCESS},
}
"""What whoever escalates would put into the request."""


def circumstances(method: Method, action: str, *, policy: str = "") -> dict[str, Any]:
    """The context of a request of a method, to IAM or STS; `policy` is the ARN of what is attached."""
    found: dict[str, Any] = {"aws:RequestedRegion": HOME, **CHOSEN.get(action, {})}
    if policy:
        found["iam:PolicyARN"] = policy
    if method.service:
        found["iam:PassedToService"] = method.service
    return found


@dataclass(slots=True)
class Found:
    """`become` by node, `edits` by the number of the principal; `everything` leads to the administrator of the account."""

    become: dict[int, list[Alternative]] = field(default_factory=lambda: defaultdict(list))
    edits: dict[int, Edits] = field(default_factory=lambda: defaultdict(Edits))
    everything: list[Alternative] = field(default_factory=list)


class Finder:
    """One round of one account."""

    def __init__(
        self,
        asker: Asker,
        choices: Choices,
        targets: Targets,
        nodes: Mapping[int, int],
        facts: Facts,
        shard: Shard,
        policies: tuple[str, ...],
    ) -> None:
        """`nodes` are those of the principals as they are, by number; `policies` what may be attached."""
        self._asker, self._choices, self._targets = asker, choices, targets
        self._nodes, self._facts, self._shard = nodes, facts, shard
        self._services = Services(shard.number, moment=asker.moment)
        self._policies = policies

    def find(self, act: Acting) -> Found:
        """All alternatives of those who act."""
        found = Found()
        self._find_becoming(found, act)
        self._find_services(found, act)
        self._find_edits(found, act)
        if self._shard.standing.is_management and self._shard.standing.organization_id:
            self._find_sign_on(found, act)
        return found

    def _find_becoming(self, found: Found, act: Acting) -> None:
        open_roles = [aim for aim in self._targets.roles if admits_people(aim.target.trust)]
        for method in of_sort(Sort.ASSUME):
            self._note(found, method, open_roles, self._in_any_region(method, open_roles), act)
        editable = self._targets.editable_roles
        for method in of_sort(Sort.RETRUST):
            rewrites = self._on(method, editable)
            if _any(rewrites, act):
                takes = self._asker.on_targets(
                    "sts:AssumeRole", [aim.target for aim in editable], {}, policy=OPEN_TRUST
                )
                both = [one & other for one, other in zip(rewrites, takes, strict=True)]
                self._note(found, method, editable, both, act)
        for method in of_sort(Sort.SIGN_IN):
            users = [aim for aim in self._targets.users if self._has_use(method, aim)]
            self._note(found, method, users, self._on(method, users), act)

    def _has_use(self, method: Method, aim: Aim) -> bool:
        """A first password is made, and a password that there is is set anew."""
        has_password = self._facts.passwords.get(aim.subject.number)
        if has_password is None or method.name == "iam-create-access-key":
            return True
        return has_password is (method.name == "iam-update-login-profile")

    def _find_services(self, found: Found, act: Acting) -> None:
        trusting = {
            m.trusted: self._trusting(m.trusted) for m in (*of_sort(Sort.PASS), *of_sort(Sort.EXISTING))
        }
        for method in (*of_sort(Sort.PASS), *of_sort(Sort.EXISTING)):
            aims = trusting[method.trusted]
            if not aims:
                continue
            does = act.of(self._choices.bits(method, act.everybody))
            if does.any:
                self._note_service(found, method, aims, does, act)

    def _note_service(
        self, found: Found, method: Method, aims: list[tuple[Aim, int]], does: Bits, act: Acting
    ) -> None:
        roles = [aim for aim, _ in aims]
        passes = self._on(method, roles) if method.target_needs else [does] * len(roles)
        both = [
            (one & does) if mark == YES and not self._is_assumed(method, aim) else (one & does).doubtful
            for one, (aim, mark) in zip(passes, aims, strict=True)
        ]
        self._note(found, method, roles, both, act)

    def _is_assumed(self, method: Method, aim: Aim) -> bool:
        is_known = method.name in OF_INSTANCES and aim.subject.number in self._facts.running
        return bool(method.assumes) and not is_known

    def _trusting(self, service: str) -> list[tuple[Aim, int]]:
        found = []
        profiled = self._facts.profiled.get(self._shard.number)
        for aim in self._targets.roles:
            mark = self._services.mark(aim.target.trust, service, aim.target.arn)
            is_usable = service != EC2 or profiled is None or aim.subject.number in profiled
            if mark != NO and is_usable:
                found.append((aim, mark))
        return found

    def _find_edits(self, found: Found, act: Acting) -> None:
        self._edit_members(found, act)
        groups, policies = self._edit_groups(act), self._edit_policies(act)
        joins = self._joins(act)
        for aim in (*self._targets.users, *self._targets.editable_roles):
            member = aim.subject.member
            assert member is not None
            for number in self._targets.groups_of(member):
                found.edits[member.id].full.extend(groups.get(number, ()))
            for number in sorted(self._targets.policies_of(member)) if policies else ():
                found.edits[member.id].full.extend(policies.get(number, ()))
            if member.grants.boundary is not None and member.grants.boundary in policies:
                found.edits[member.id].unbound.extend(policies[member.grants.boundary])
            if aim.subject.kind == "user":
                for number, joining in joins.items():
                    if number not in member.grants.groups:
                        found.edits[member.id].groups[number] = joining
        self._restore(found, act)

    def _edit_members(self, found: Found, act: Acting) -> None:
        for kind, aims in (("user", self._targets.users), ("role", self._targets.editable_roles)):
            for method in of_sort(Sort.GRANT, of=kind):
                for aim, bits in zip(aims, self._on(method, aims), strict=True):
                    able = act.of(bits)
                    if able.any:
                        found.edits[aim.subject.number].full.append(Alternative(method, aim.subject, able))
            bounded = [aim for aim in aims if aim.target.boundary]
            for method in of_sort(Sort.UNBOUND, of=kind):
                for aim, bits in zip(bounded, self._on(method, bounded), strict=True):
                    able = act.of(bits)
                    if able.any:
                        found.edits[aim.subject.number].unbound.append(Alternative(method, aim.subject, able))

    def _edit_groups(self, act: Acting) -> dict[int, list[Alternative]]:
        return self._by_number(of_sort(Sort.GRANT, of="group"), self._targets.groups, act)

    def _edit_policies(self, act: Acting) -> dict[int, list[Alternative]]:
        return self._by_number(of_sort(Sort.GRANT, of="policy"), self._targets.policies, act)

    def _joins(self, act: Acting) -> dict[int, list[Alternative]]:
        return self._by_number(of_sort(Sort.JOIN), self._targets.groups, act)

    def _by_number(
        self, methods: Iterable[Method], aims: list[Aim], act: Acting
    ) -> dict[int, list[Alternative]]:
        found: dict[int, list[Alternative]] = defaultdict(list)
        for method in methods:
            for aim, bits in zip(aims, self._on(method, aims), strict=True):
                able = act.of(bits)
                if able.any:
                    found[aim.subject.number].append(Alternative(method, aim.subject, able))
        return found

    def _restore(self, found: Found, act: Acting) -> None:
        versions = self._facts.versions or {}
        aims = [aim for aim in self._targets.policies if versions.get(aim.subject.number)]
        restored = self._by_number(of_sort(Sort.RESTORE), aims, act)
        for aim in (*self._targets.users, *self._targets.editable_roles) if restored else ():
            member = aim.subject.member
            assert member is not None
            for number in sorted(self._targets.policies_of(member) & restored.keys()):
                for digest in versions[number]:
                    found.edits[member.id].versions[number, digest] = restored[number]

    def _find_sign_on(self, found: Found, act: Acting) -> None:
        number = self._shard.number
        subject = Subject("account", f"arn:aws:iam::{number}:root", number, -int(number))
        for method in of_sort(Sort.SIGN_ON):
            bits = act.of(self._choices.bits(method, act.everybody).doubtful)
            if bits.any:
                found.everything.append(Alternative(method, subject, bits))

    def _on(self, method: Method, aims: Sequence[Aim]) -> list[Bits]:
        """Who meets the needs of the method that are on the target, with one of the policies that may be attached."""
        found = [NOBODY] * len(aims)
        if not aims:
            return found
        for policy in self._policies if is_attaching(method) else ("",):
            asked = self._with(method, [aim.target for aim in aims], policy)
            found = [one | other for one, other in zip(found, asked, strict=True)]
        return found

    def _with(self, method: Method, targets: list[Target], policy: str) -> list[Bits]:
        found = [EVERYBODY] * len(targets)
        for need in method.target_needs:
            context = circumstances(method, need.action, policy=policy)
            asked = self._asker.on_targets(need.action, targets, context)
            found = [one & other for one, other in zip(found, asked, strict=True)]
        return found

    def _in_any_region(self, method: Method, aims: Sequence[Aim]) -> list[Bits]:
        """As above, for calls to a service that has endpoints in each region."""
        targets = [aim.target for aim in aims]
        found = [NOBODY] * len(targets)
        (need,) = method.target_needs
        reads_region = REGION in self._asker.keys(need.action)
        for region in self._asker.regions() if reads_region else [HOME]:
            asked = self._asker.on_targets(need.action, targets, {"aws:RequestedRegion": region})
            found = [one | other for one, other in zip(found, asked, strict=True)]
        return found

    def _note(
        self, found: Found, method: Method, aims: Sequence[Aim], bits: Sequence[Bits], act: Acting
    ) -> None:
        for aim, mark in zip(aims, bits, strict=True):
            able = act.of(mark).within(~aim.target.mask)
            node = self._nodes.get(aim.subject.number)
            if able.any and node is not None:
                found.become[node].append(Alternative(method, aim.subject, able))


OF_INSTANCES = frozenset({"ec2-user-data", "ec2-instance-connect", "ssm-session", "ssm-command"})


def _any(bits: Iterable[Bits], act: Acting) -> bool:
    return any(act.of(one).any for one in bits)


__all__ = ["Finder", "Found", "circumstances"]
