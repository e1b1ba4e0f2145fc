"""Checks if what a policy allows is effective for its holders, considering all their policies, boundaries and
SCPs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from iam.audit.findings.facts import AccountFacts, ContextKeys, PolicyFact
from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.question import AccessQuestion

CONDITION: Final = "conditions of a policy decide"
TRUSTS_EVERYONE: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


class PolicyEffect(NamedTuple):
    """The principals for which a policy is effective, and why that is conditional. It is certain if there are
    no reasons.
    """

    principals: tuple[int, ...]
    reasons: tuple[str, ...]


def administrators_by(policy: PolicyFact, facts: AccountFacts) -> PolicyEffect | None:
    """The holders of the policy that are administrators; None if there are none."""
    return effect_among(policy, facts, facts.administrators or {})


def effect_of(
    policy: PolicyFact, facts: AccountFacts, action: str, resource: str, *, context: ContextKeys = ()
) -> PolicyEffect | None:
    """The holders of the policy that can do the action on the resource; None if none can."""
    return effect_among(policy, facts, able(facts, action, resource, context=context))


def able(
    facts: AccountFacts,
    action: str,
    resource: str,
    *,
    context: ContextKeys = (),
    resource_policy: str | None = None,
) -> Mapping[int, bool]:
    """Who can do an action on a resource, by primary key, with True if certain; cached per account.

    A role to be assumed counts as trusting everyone, so that only policies of the account decide.
    """
    key = (action, resource, context, resource_policy)
    known = facts.able.get(key)
    if known is None:
        known = facts.able[key] = {}
        if facts.index is not None:
            trust = TRUSTS_EVERYONE if action == "sts:AssumeRole" else resource_policy
            accounts = frozenset({facts.number})
            question = AccessQuestion(
                action, resource, dict(context), accounts=accounts, resource_policy=trust
            )
            answer = facts.index.who_can(question)
            for decision in (EvaluationDecision.ALLOWED, EvaluationDecision.CONDITIONAL):
                for member in answer.members(decision):
                    known[member.id] = decision is EvaluationDecision.ALLOWED
    return known


def effect_among(policy: PolicyFact, facts: AccountFacts, able: Mapping[int, bool]) -> PolicyEffect | None:
    """The holders of the policy among those who are able, as `able` returns them; None if there are none."""
    principals = tuple(number for number in facts.principals(policy.holders) if number in able)
    if not principals:
        return None
    is_sure = any(able[number] for number in principals)
    return PolicyEffect(principals, reasons_of(facts, is_sure=is_sure))


def reasons_of(facts: AccountFacts, *, is_sure: bool) -> tuple[str, ...]:
    """Why a result is conditional: conditions decide, or something that could block it is not synced."""
    return facts.unread if is_sure else (CONDITION, *facts.unread)
