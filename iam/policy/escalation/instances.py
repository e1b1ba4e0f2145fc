"""EC2 instances that are known to run with a role. Their ARNs and tags decide who can use them.

Keys such as `ssm:resourceTag/team` hold the tags of the instance. Source: "Service Authorization Reference",
Amazon EC2, AWS Systems Manager and EC2 Instance Connect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from iam.policy.escalation.account_graph import ActingPrincipal
from iam.policy.escalation.choices import TargetChoice, TargetChoices
from iam.policy.escalation.condition_facts import tags_of
from iam.policy.escalation.method_types import EscalationMethod
from iam.policy.escalation.permission_checks import EVERYBODY, NOBODY, PrincipalBits
from iam.policy.escalation.states import Ec2Instance, OutsideFacts

OF_INSTANCES: Final = frozenset({"ec2-user-data", "ec2-instance-connect", "ssm-session", "ssm-command"})
"""The methods that use a running instance."""
KIND: Final = "instance"
TAGS: Final = ("ssm:resourcetag/", "ec2:resourcetag/", "aws:resourcetag/")


@dataclass(frozen=True, slots=True)
class EscalationInstances:
    """The known instances of one account."""

    choices: TargetChoices
    facts: OutsideFacts

    def usable_by(self, method: EscalationMethod, role: int) -> tuple[Ec2Instance, ...]:
        """Return the instances that are known to run with the role and that the method can use."""
        return self.facts.running.get(role, ()) if method.name in OF_INSTANCES else ()

    def bits(self, method: EscalationMethod, role: int, act: ActingPrincipal) -> PrincipalBits:
        """Return which of the acting principals can use one of the role's instances. The choices that work
        are recorded for the role.
        """
        principals = NOBODY
        noted: list[TargetChoice] = []
        if not all(self.choices.is_allowed_at_all(need.action) for need in method.own_needs):
            return principals
        for choice in self._choices(method, role):
            able = act.of(self._able(choice))
            if able.any:
                noted.append(choice)
                principals |= able
            if principals.sure & act.everybody == act.everybody:
                break
        if noted:
            self.choices.of_roles[method, role] = tuple(noted)
        return principals

    def _able(self, choice: TargetChoice) -> PrincipalBits:
        principals = EVERYBODY
        (arn,) = choice.names[KIND]
        for need in choice.needs:
            principals &= self.choices.asker.ask(need.action, arn, choice.context)
        return principals

    def _choices(self, method: EscalationMethod, role: int) -> Iterator[TargetChoice]:
        needs = method.own_needs
        wanted_keys: set[str] = set()
        for need in needs:
            wanted_keys.update(self.choices.asker.keys(need.action))
        for instance in self.usable_by(method, role):
            about: dict[str, Any] = {}
            if instance.tags is not None:
                about = tags_of(dict(instance.tags), frozenset(wanted_keys), prefixes=TAGS)
            region = instance.arn.split(":")[3]
            yield TargetChoice(region, {KIND: (instance.arn,)}, needs, about)
