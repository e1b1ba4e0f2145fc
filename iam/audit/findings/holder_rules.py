"""The base of rules about full administrator policies, which differ by who wrote the policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from iam.audit.findings.effect import PolicyEffect, administrators_by
from iam.audit.findings.facts import AccountFacts, EntityFact, PolicyFact
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.policy_fixes import without_statements
from iam.audit.findings.rule import MAX_RELATED, FindingFix, FindingRule, NotRead, RuleProblem
from iam.audit.findings.statements import AllowStatement, first, is_full
from iam.mirror.models import Kind
from iam.mirror.pull.sections import AUTHORIZATION

SECTIONS: Final = AUTHORIZATION


class OwnFullPolicyRule(FindingRule):
    """A customer's own policy makes someone administrator; `is_inline` selects which policies."""

    is_inline: ClassVar[bool]
    risk = "Anyone who has it, or takes it over, can do everything in the account."
    remedy = "Reduce the policy to the actions and resources that are needed."
    fix_request = FixRequest("Remove statement", without_statements(is_full))
    sections = SECTIONS

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for policy, statement, effect in effective_full_policies(facts):
            if policy.is_inline == self.is_inline and not policy.is_aws_managed:
                yield problem_of(policy, statement, effect, facts)


def full_policies(facts: AccountFacts) -> Iterator[tuple[PolicyFact, AllowStatement]]:
    """The policies that allow every action on every resource, with the statement."""
    for policy in facts.policies:
        statement = first(facts.documents.get(policy.digest, ""), is_full)
        if statement is not None:
            yield policy, statement


def effective_full_policies(facts: AccountFacts) -> Iterator[tuple[PolicyFact, AllowStatement, PolicyEffect]]:
    """Return those of the full policies that make someone administrator."""
    for policy, statement in full_policies(facts):
        effect = administrators_by(policy, facts)
        if effect is not None:
            yield policy, statement, effect


def problem_of(
    policy: PolicyFact, statement: AllowStatement, effect: PolicyEffect, facts: AccountFacts
) -> RuleProblem:
    """The problem of a policy that is effective for some principals."""
    entities = [facts.entities[holder] for holder in policy.holders if holder in facts.entities]
    groups = sorted(entity.arn for entity in entities if entity.kind == Kind.GROUP)
    affected = facts.arns(effect.principals)
    return RuleProblem(
        policy.owner,
        {"policy": policy.name, **statement.evidence},
        cause=policy.cause,
        related=(*groups, *affected)[:MAX_RELATED],
        affected=len(affected),
        reasons=effect.reasons,
        fix=fix_of(policy),
    )


def problems_of_holders(
    policy: PolicyFact, statement: AllowStatement, effect: PolicyEffect, facts: AccountFacts
) -> Iterator[RuleProblem]:
    """The problem of each user, group and role that an AWS managed policy is attached to."""
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


def fix_of(policy: PolicyFact) -> FindingFix:
    """The fix that opens a request to change or remove the policy."""
    if policy.is_inline:
        return FindingFix("delete-inline", policy.owner.id, policy.name)
    return FindingFix(page="policy", on=policy.owner.id)


def detach(holder: EntityFact, policy: PolicyFact) -> FindingFix:
    """The fix that opens a request to detach a policy from a user, group or role."""
    return FindingFix("detach", holder.id, policy.owner.arn)


def is_user(entity: EntityFact) -> bool:
    """True for an IAM user."""
    return entity.kind == Kind.USER
