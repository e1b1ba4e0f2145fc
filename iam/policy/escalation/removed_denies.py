"""Denying policies, and who can remove them from a principal: by deleting or detaching them, or by leaving
the group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from iam.policy.escalation.account_graph import ActingPrincipal, NeedSubject, StepOption
from iam.policy.escalation.edits import PolicyEdits
from iam.policy.escalation.method_types import EdgeVerb, EscalationMethod
from iam.policy.escalation.methods import of_sort
from iam.policy.escalation.permission_checks import PrincipalBits
from iam.policy.escalation.states import ATTACHED, INLINE, LEFT, PolicyRemoval
from iam.policy.escalation.targets import EscalationTargets, TargetSubject


class MethodPrincipals(Protocol):
    """A function that returns who meets the needs of a method on each target."""

    def __call__(
        self, method: EscalationMethod, aims: Sequence[TargetSubject], *, policy: str = ""
    ) -> list[PrincipalBits]: ...


_METHODS: Final = {method.name: method for method in of_sort(EdgeVerb.REMOVE)}
BY_KIND: Final[Mapping[tuple[str, str], EscalationMethod]] = {
    (INLINE, "user"): _METHODS["iam-delete-user-policy"],
    (INLINE, "role"): _METHODS["iam-delete-role-policy"],
    (INLINE, "group"): _METHODS["iam-delete-group-policy"],
    (ATTACHED, "user"): _METHODS["iam-detach-user-policy"],
    (ATTACHED, "role"): _METHODS["iam-detach-role-policy"],
    (ATTACHED, "group"): _METHODS["iam-detach-group-policy"],
    (LEFT, "group"): _METHODS["iam-remove-user-from-group"],
}


class DenyRemovalFinder:
    """Finds the removals of one round. Each query covers all principals or groups that it concerns."""

    def __init__(self, targets: EscalationTargets, act: ActingPrincipal, *, on: MethodPrincipals) -> None:
        self._targets, self._act, self._on = targets, act, on

    def add_to(self, edits: dict[int, PolicyEdits]) -> None:
        """Add who can remove which policy from which principal."""
        holders: dict[tuple[EscalationMethod, str], dict[NeedSubject, list[tuple[int, PolicyRemoval]]]] = (
            defaultdict(lambda: defaultdict(list))
        )
        aims: dict[NeedSubject, TargetSubject] = {}
        groups = {aim.subject.number: aim for aim in self._targets.groups}
        for aim in (*self._targets.users, *self._targets.editable_roles):
            member = aim.subject.member
            assert member is not None
            for removal in self._targets.denying_of(member):
                holder = groups.get(removal.group) if removal.group else aim
                if holder is not None:
                    method = BY_KIND[removal.kind, holder.subject.kind]
                    policy = ""
                    if removal.kind == ATTACHED:
                        policy = self._targets.arn_of_policy(int(removal.name))
                    aims[holder.subject] = holder
                    holders[method, policy][holder.subject].append((member.id, removal))
        for (method, policy), concerned in holders.items():
            asked = self._on(method, [aims[subject] for subject in concerned], policy=policy)
            for (subject, removals), bits in zip(concerned.items(), asked, strict=True):
                able = self._act.of(bits)
                if able.any:
                    policies = (policy,) if policy else ()
                    alternative = StepOption(method, subject, able, policies)
                    for number, removal in removals:
                        edits[number].removed[removal].append(alternative)
