"""A user, group or role has an AWS managed policy that allows everything."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.holder_rules import SECTIONS, effective_full_policies, problems_of_holders
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem


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
            if policy.is_aws_managed:
                yield from problems_of_holders(policy, statement, effect, facts)
