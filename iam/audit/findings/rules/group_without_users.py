"""A group has no users."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.models import Kind
from iam.mirror.pull.sections import GROUPS, USERS


class GroupWithoutUsers(FindingRule):
    """Covers all groups, whatever they allow."""

    kind = "group-without-users"
    severity = FindingSeverity.LOW
    title = "Group without users"
    sentence = "A group has no users."
    risk = "A forgotten group keeps its permissions, and gives them to anyone who is added to it."
    remedy = "Delete the group."
    sections = (USERS, GROUPS)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for group in facts.of_kind(Kind.GROUP):
            if not facts.members.get(group.id):
                policies = facts.arns(tuple(facts.attached.get(group.id, ())))
                evidence = {"users": 0, "policies": list(policies)}
                yield RuleProblem(group, evidence, related=policies, fix=FindingFix("delete", group.id))
