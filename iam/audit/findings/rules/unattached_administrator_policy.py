"""A policy with administrator permissions is not attached to anyone."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.holder_rules import SECTIONS, full_policies
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem


class UnattachedAdministratorPolicy(FindingRule):
    """Policies that are used as a permissions boundary are left out."""

    kind = "unattached-administrator-policy"
    severity = FindingSeverity.LOW
    title = "Unattached policy with administrator rights"
    sentence = (
        "A customer managed policy that allows every action on every resource isn’t attached to anyone."
    )
    risk = "Anyone who can attach policies can make themselves administrator with it."
    remedy = "Delete the policy."
    sections = SECTIONS

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        bounds = set(facts.bounds.values())
        for policy, statement in full_policies(facts):
            is_attached = policy.holders or policy.owner.id in bounds
            if not (policy.is_inline or policy.is_aws_managed or is_attached):
                evidence = {"policy": policy.name, **statement.evidence}
                yield RuleProblem(policy.owner, evidence, fix=FindingFix("delete", policy.owner.id))
