"""An EC2 instance allows IMDSv1, with which a forged request can read the credentials of its role."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.mirror.models import Kind
from iam.mirror.pull.sections import INSTANCES

GONE: Final = frozenset({"terminated", "shutting-down"})


class InstanceAllowsImdsv1(FindingRule):
    """Instances with a disabled metadata service and terminated instances are left out."""

    kind = "instance-allows-imdsv1"
    severity = FindingSeverity.MEDIUM
    title = "Instance allows IMDSv1"
    sentence = "An EC2 instance lets version 1 of the metadata service answer."
    risk = "An application that can be tricked into a request hands out the credentials of its role."
    remedy = "Require IMDSv2 on the instance (HttpTokens: required)."
    no_request = "Gatehouse has no right to change EC2 instances beyond their instance profile."
    sections = (INSTANCES,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for instance in facts.of_kind(Kind.INSTANCE):
            attrs = instance.attrs
            is_on = attrs.get("HttpEndpoint") == "enabled" and instance.category not in GONE
            if is_on and attrs.get("HttpTokens") == "optional":
                evidence = {"instance": instance.name, "http_tokens": "optional"}
                yield RuleProblem(instance, evidence)
