"""Whether what a policy says comes true for anyone who has it: all of their policies, boundaries and SCPs are
asked.
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
    """The principals for whom it comes true, and why that is conditional; no reasons: it is certain."""

    principals: tuple[int, ...]
    reasons: tuple[str, ...]


def administrators_by(policy: PolicyFact, facts: AccountFacts) -> PolicyEffect | None:
    """Those of a policy's holders who are administrators; None where none is."""
    return _effect(policy, facts, facts.administrators or {})


def effect_of(
    policy: PolicyFact, facts: AccountFacts, action: str, resource: str, *, context: ContextKeys = ()
) -> PolicyEffect | None:
    """Those of a policy's holders who can do an action on a resource; None where none can."""
    return _effect(policy, facts, able(facts, action, resource, context=context))


def able(facts: AccountFacts, action: str, resource: str, *, context: ContextKeys = ()) -> Mapping[int, bool]:
    """Who can do an action on a resource, by number, and whether surely; asked once for each account. A role
    that would be assumed trusts everyone: policies of the account alone decide.
    """
    known = facts.able.get((action, resource, context))
    if known is None:
        known = facts.able[action, resource, context] = {}
        if facts.index is not None:
            trust = TRUSTS_EVERYONE if action == "sts:AssumeRole" else None
            accounts = frozenset({facts.number})
            question = AccessQuestion(
                action, resource, dict(context), accounts=accounts, resource_policy=trust
            )
            answer = facts.index.who_can(question)
            for decision in (EvaluationDecision.ALLOWED, EvaluationDecision.CONDITIONAL):
                for member in answer.members(decision):
                    known[member.id] = decision is EvaluationDecision.ALLOWED
    return known


def _effect(policy: PolicyFact, facts: AccountFacts, able: Mapping[int, bool]) -> PolicyEffect | None:
    principals = tuple(number for number in facts.principals(policy.holders) if number in able)
    if not principals:
        return None
    is_sure = any(able[number] for number in principals)
    return PolicyEffect(principals, reasons_of(facts, is_sure=is_sure))


def reasons_of(facts: AccountFacts, *, is_sure: bool) -> tuple[str, ...]:
    """Why something is conditional: conditions decide, or what could stop it was not synced."""
    return facts.unread if is_sure else (CONDITION, *facts.unread)
