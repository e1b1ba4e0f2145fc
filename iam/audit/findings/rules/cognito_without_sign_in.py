"""A role lets in guests of an Amazon Cognito identity pool, who sign in nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.audit.findings.trust import condition_values, trust_evidence
from iam.audit.findings.trust_fixes import require_cognito_sign_in
from iam.audit.findings.web_trust import (
    CONDITIONAL,
    SOME_POOL,
    admits_guests,
    identity_pools,
    names_guests,
    web_principals,
)
from iam.mirror.pull.sections import AUTHORIZATION
from iam.policy.trust_web import COGNITO

UNKNOWN_POOLS: Final = "identity pools aren’t synced, so it’s unknown which let guests in"


class CognitoWithoutSignIn(FindingRule):
    """Critical if the role is an administrator, high if every identity pool is let in. Conditional if the
    trust policy doesn't name guests, because the pool then decides if there are any.

    Sources: "IAM roles" and "Security best practices for Amazon Cognito identity pools".
    """

    kind = "cognito-without-sign-in"
    severity = FindingSeverity.MEDIUM
    title = "Role open to Cognito guests"
    sentence = "A role lets in identities of Amazon Cognito that haven’t signed in."
    risk = "Anyone on the internet who knows the identity pool, which every app reveals, can act as the role."
    remedy = (
        "Require “authenticated” in cognito-identity.amazonaws.com:amr, and the identity pool in its aud."
    )
    fix_request = FixRequest("Require sign-in", require_cognito_sign_in)
    sections = AUTHORIZATION

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        administrators = facts.administrators or {}
        for role in facts.roles:
            for principal in web_principals(role, facts):
                if principal.name != COGNITO:
                    continue
                of_any_pool = admits_guests(role, facts, principal, SOME_POOL)
                answers = [
                    admits_guests(role, facts, principal, pool) for pool in identity_pools(role, facts)
                ]
                if of_any_pool is None and not set(answers) & {True, False}:
                    continue
                evidence = trust_evidence(role, facts, principal.text)
                severity = FindingSeverity.MEDIUM if of_any_pool is None else FindingSeverity.HIGH
                if role.id in administrators:
                    severity = FindingSeverity.CRITICAL
                    evidence["administrator"] = True
                reasons = () if of_any_pool or True in answers else (CONDITIONAL,)
                if not names_guests(condition_values(role, facts)):
                    reasons = (*reasons, UNKNOWN_POOLS)
                fix = FindingFix("trust", role.id)
                yield RuleProblem(role, evidence, severity=severity, reasons=reasons, fix=fix)
