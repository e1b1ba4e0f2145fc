"""A policy lets someone get tokens signed by AWS for any audience."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.effect import effect_of
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.holder_rules import problem_of
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.audit.findings.statements import first
from iam.audit.findings.tokens import ACTION, CONTEXT, gives_any_token, without_tokens
from iam.mirror.pull.sections import AUTHORIZATION, OUTBOUND_FEDERATION


class OutboundTokensForAnyAudience(FindingRule):
    """Covers accounts with outbound federation turned on. Statements that allow everything are left out: they
    make an administrator, whom nothing in the account limits, and have a kind of their own.
    """

    kind = "outbound-tokens-for-any-audience"
    severity = FindingSeverity.MEDIUM
    title = "Tokens of AWS for any audience"
    sentence = (
        "Outbound federation is on, and a policy allows sts:GetWebIdentityToken for every audience, without "
        "a condition on sts:IdentityTokenAudience."
    )
    risk = (
        "Anyone who takes over a holder of the policy can sign in as the holder to every service outside of "
        "AWS that accepts tokens of the account."
    )
    remedy = (
        "Name the audiences in a condition on sts:IdentityTokenAudience, or turn off outbound federation."
    )
    fix_request = FixRequest("Remove permission", without_tokens)
    sections = (*AUTHORIZATION, OUTBOUND_FEDERATION)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        federation = facts.values.get(OUTBOUND_FEDERATION)
        if federation is None:
            yield NotRead(None)
            return
        for policy in facts.policies if federation["JwtVendingEnabled"] else ():
            statement = first(facts.documents.get(policy.digest, ""), gives_any_token)
            if statement is None:
                continue
            effect = effect_of(policy, facts, ACTION, "*", context=CONTEXT)
            if effect is not None:
                problem = problem_of(policy, statement, effect, facts)
                yield problem._replace(
                    evidence={**problem.evidence, "issuer": federation["IssuerIdentifier"]}
                )
