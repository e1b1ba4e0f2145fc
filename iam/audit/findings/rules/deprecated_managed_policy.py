"""A policy that AWS deprecated is still attached."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.data_files import deprecated_policies
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.holder_rules import detach
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import AUTHORIZATION


class DeprecatedManagedPolicy(FindingRule):
    """One finding for each user, group and role that has the policy, because each is migrated separately."""

    kind = "deprecated-managed-policy"
    severity = FindingSeverity.LOW
    title = "Deprecated AWS managed policy"
    sentence = "A user, group or role has an AWS managed policy that AWS has deprecated."
    risk = "AWS no longer maintains the policy, and most of these allow more than their successors."
    remedy = "Attach the policy that replaces it, then detach this one."
    sections = AUTHORIZATION

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        replaced_by = deprecated_policies()
        for policy in facts.policies:
            if policy.is_aws_managed and policy.owner.name in replaced_by:
                evidence = {"policy": policy.owner.arn, "replaced_by": replaced_by[policy.owner.name] or None}
                for number in policy.holders:
                    holder = facts.entities[number]
                    yield RuleProblem(
                        holder,
                        evidence,
                        cause=policy.owner.name,
                        related=(policy.owner.arn,),
                        fix=detach(holder, policy),
                    )
