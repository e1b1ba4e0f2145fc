"""The role of an instance is or can become administrator."""

from __future__ import annotations

from collections.abc import Iterator

from iam.access.certainty import Certainty
from iam.audit.findings.account_fixes import put_boundary
from iam.audit.findings.effect import reasons_of
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.models import Kind
from iam.mirror.pull.sections import AUTHORIZATION, INSTANCE_PROFILES, INSTANCES


class InstanceRoleCanEscalate(FindingRule):
    """One finding for each role, with the instances that use it."""

    kind = "instance-role-can-escalate"
    severity = FindingSeverity.HIGH
    title = "Instance role can become administrator"
    sentence = "The role of a running EC2 instance is administrator or can become one."
    risk = "Anyone who gets into the instance can do everything in the account."
    remedy = "Give the role only the actions that the application uses."
    fix_request = FixRequest("Set boundary", put_boundary)
    sections = (*AUTHORIZATION, INSTANCE_PROFILES, INSTANCES)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        instances = self._instances_by_role(facts)
        sure = dict(facts.administrators or {})
        for opening in facts.openings or ():
            for affected in opening.affected:
                is_sure = affected.certainty is not Certainty.CONDITIONAL
                sure[affected.start[1]] = sure.get(affected.start[1], False) or is_sure
        for role in facts.roles:
            if role.id in instances and role.id in sure:
                names = sorted(instances[role.id])
                yield RuleProblem(
                    role,
                    {"administrator": role.id in (facts.administrators or {}), "instances": names},
                    related=tuple(names),
                    affected=len(names),
                    reasons=reasons_of(facts, is_sure=sure[role.id]),
                    fix=FindingFix(page="role", on=role.id),
                )

    def _instances_by_role(self, facts: AccountFacts) -> dict[int, list[str]]:
        instances: dict[int, list[str]] = {}
        for instance in facts.of_kind(Kind.INSTANCE):
            for profile in facts.running.get(instance.id, ()):
                for role in facts.profiles.get(profile, ()):
                    instances.setdefault(role, []).append(instance.arn)
        return instances
