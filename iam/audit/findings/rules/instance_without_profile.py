"""A running instance has no role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.models import Kind
from iam.mirror.pull.sections import INSTANCES

GONE: Final = frozenset({"terminated", "shutting-down"})


class InstanceWithoutProfile(FindingRule):
    """Terminated instances are left out."""

    kind = "instance-without-profile"
    severity = FindingSeverity.LOW
    title = "Instance without an instance profile"
    sentence = "An EC2 instance has no instance profile, and so no role."
    risk = "Applications on it that call AWS need long-lived keys, which lie in files."
    remedy = "Attach an instance profile with the role that the application needs."
    sections = (INSTANCES,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for instance in facts.of_kind(Kind.INSTANCE):
            if instance.category not in GONE and not facts.running.get(instance.id):
                fix = FindingFix("give-profile", instance.id)
                yield RuleProblem(instance, {"instance": instance.name, "profile": None}, fix=fix)
