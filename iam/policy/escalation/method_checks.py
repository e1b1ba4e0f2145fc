"""Answers which principals can use a method on which targets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from iam.policy.escalation.account_graph import ActingPrincipal, NeedSubject, StepOption
from iam.policy.escalation.attachable import ATTACHING, changeable_policies, is_attaching, new_policies
from iam.policy.escalation.found_paths import circumstances
from iam.policy.escalation.method_types import EscalationMethod
from iam.policy.escalation.permission_checks import (
    EVERYBODY,
    HOME,
    NOBODY,
    REGION,
    CheckTarget,
    PermissionAsker,
    PrincipalBits,
)
from iam.policy.escalation.tags import can_matter, targets_after
from iam.policy.escalation.targets import TargetSubject
from iam.policy.index.shard import AccountShard


class MethodChecks:
    """Checks the needs of methods that concern a target, in one account."""

    def __init__(self, asker: PermissionAsker, shard: AccountShard, policies: tuple[str, ...]) -> None:
        """`policies` can be attached."""
        self._asker = asker
        self._shard = shard
        self._policies = policies
        self._written: dict[str, tuple[str, ...]] = {}

    def on(
        self, method: EscalationMethod, aims: Sequence[TargetSubject], *, policy: str = ""
    ) -> list[PrincipalBits]:
        """Return who meets the needs of the method on each target, with one of the attachable policies or
        with `policy`.
        """
        principals = [NOBODY] * len(aims)
        if not aims or (method.retags and not can_matter(self._asker, method)):
            return principals
        for arn in self._attachable_policies(method) if is_attaching(method) else (policy,):
            asked = self._bits_of(method, [aim.target for aim in aims], arn)
            if method.writing:
                writes = self._asker.ask(method.writing, arn, {"aws:RequestedRegion": HOME})
                asked = [bits & writes for bits in asked]
            principals = [before | other for before, other in zip(principals, asked, strict=True)]
        return principals

    def in_any_region(self, method: EscalationMethod, aims: Sequence[TargetSubject]) -> list[PrincipalBits]:
        """Return who meets the needs on each target in any Region, for services with Regional endpoints."""
        targets = [aim.target for aim in aims]
        *before, need = method.target_needs
        principals = [NOBODY] * len(targets)
        reads_region = REGION in self._asker.keys(need.action)
        for region in self._asker.regions() if reads_region else [HOME]:
            circumstance = {"aws:RequestedRegion": region}
            asked = self._asker.on_targets(need.action, targets_after(method, need, targets), circumstance)
            principals = [before | other for before, other in zip(principals, asked, strict=True)]
        for other_need in before:
            asked = self._asker.on_targets(other_need.action, targets, {"aws:RequestedRegion": HOME})
            principals = [before & other for before, other in zip(principals, asked, strict=True)]
        return principals

    def able_on(
        self, method: EscalationMethod, aims: Sequence[TargetSubject], act: ActingPrincipal
    ) -> Iterator[tuple[TargetSubject, PrincipalBits]]:
        """Yield the targets on which someone can use the method, and which of the acting principals can."""
        for aim, bits in zip(aims, self.on(method, aims), strict=True):
            able = act.of(bits)
            if able.any:
                yield aim, able

    def options(
        self, method: EscalationMethod, aims: Sequence[TargetSubject], act: ActingPrincipal
    ) -> list[StepOption]:
        """Return, for each target, the use of the method on it and which of the acting principals can, who
        may be nobody.
        """
        return [
            self.option(method, aim.subject, act.of(bits))
            for aim, bits in zip(aims, self.on(method, aims), strict=True)
        ]

    def option(self, method: EscalationMethod, subject: NeedSubject, bits: PrincipalBits) -> StepOption:
        """Return the use of a method on a target, with the policies that it may attach."""
        return StepOption(method, subject, bits, self._attachable_policies(method))

    def options_by_number(
        self, methods: Iterable[EscalationMethod], aims: list[TargetSubject], act: ActingPrincipal
    ) -> dict[int, list[StepOption]]:
        """Return, for each target number, the options by which someone can use one of the methods on it."""
        by_number: dict[int, list[StepOption]] = defaultdict(list)
        for method in methods:
            for aim, able in self.able_on(method, aims, act):
                by_number[aim.subject.number].append(self.option(method, aim.subject, able))
        return by_number

    def _attachable_policies(self, method: EscalationMethod) -> tuple[str, ...]:
        """Return the policies to try for a method that attaches one."""
        if not is_attaching(method):
            return ()
        if not method.writing:
            return self._policies
        written = self._written.get(method.writing)
        if written is None:
            attaching = list(chain.from_iterable(map(self._asker.clauses, ATTACHING)))
            writing = self._asker.clauses(method.writing)
            if not any(clause.allows for clause in writing):
                written = ()
            elif method.writing == "iam:CreatePolicy":
                written = new_policies(self._shard, attaching, writing)
            else:
                written = changeable_policies(self._shard, attaching, writing)
            self._written[method.writing] = written
        return written

    def _bits_of(
        self, method: EscalationMethod, targets: list[CheckTarget], policy: str
    ) -> list[PrincipalBits]:
        principals = [EVERYBODY] * len(targets)
        for need in method.target_needs:
            context = circumstances(method, need.action, policy=policy)
            asked = self._asker.on_targets(need.action, targets_after(method, need, targets), context)
            principals = [before & other for before, other in zip(principals, asked, strict=True)]
        return principals
