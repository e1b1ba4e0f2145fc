"""A user, group or role has an AWS managed policy that allows everything."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.holder_rules import SECTIONS, detach, effective_full_policies
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import MAX_RELATED, FindingRule, NotRead, RuleProblem


class FullAdministratorAwsManaged(FindingRule):
    """One finding for each user, group and role that has the policy, because each is fixed separately."""

    kind = "full-administrator-aws-managed"
    severity = FindingSeverity.MEDIUM
    title = "Full administrator by an AWS managed policy"
    sentence = "A user, group or role has an AWS managed policy that allows every action on every resource."
    risk = "Anyone who has it, or takes it over, can do everything in the account."
    remedy = "Attach a policy with the actions that are needed, then detach this one."
    sections = SECTIONS

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for policy, statement, effect in effective_full_policies(facts):
            if not policy.is_aws_managed:
                continue
            for number in policy.holders:
                holder = facts.entities[number]
                principals = [n for n in facts.principals((number,)) if n in effect.principals]
                if principals:
                    affected = facts.arns(tuple(principals))
                    yield RuleProblem(
                        holder,
                        {"policy": policy.owner.arn, **statement.evidence},
                        cause=policy.owner.name,
                        related=(policy.owner.arn, *affected[:MAX_RELATED]),
                        affected=len(affected),
                        reasons=effect.reasons,
                        fix=detach(holder, policy),
                    )
