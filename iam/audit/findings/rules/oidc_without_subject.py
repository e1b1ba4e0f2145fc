"""A role accepts every subject of an identity provider."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.audit.findings.trust import condition_values, trust_evidence
from iam.audit.findings.web_trust import (
    CONDITIONAL,
    SUBJECT_FORMS,
    admits_token,
    strange_subjects,
    usual_audience,
    web_principals,
)
from iam.mirror.pull.sections import ROLES
from iam.policy.letter_case import fold
from iam.policy.trust_web import COGNITO

BY_AUDIENCE: Final = frozenset({"accounts.google.com", "graph.facebook.com", "www.amazon.com"})
"""Issuers whose audience is the customer's own application."""


class OidcWithoutSubject(FindingRule):
    """Critical if everyone can use the issuer, as with GitHub. There, a condition that leaves the owner open
    limits nothing. Roles with a condition on another claim are left out. Roles for Amazon Cognito are
    `cognito-without-sign-in`.
    """

    kind = "oidc-without-subject"
    severity = FindingSeverity.HIGH
    title = "OIDC trust without a subject condition"
    sentence = (
        "A role lets in every subject of an OpenID Connect provider, or those of owners that anyone can "
        "register, such as repositories of GitHub."
    )
    risk = "Anyone who gets a token from the provider can act as the role."
    remedy = "Add a condition on the subject that names the repository, or the namespace and service account."
    sections = (ROLES,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for role in facts.roles:
            for principal in web_principals(role, facts):
                values, issuer = condition_values(role, facts), principal.name
                if issuer == COGNITO or _is_limited(values, issuer):
                    continue
                audience = usual_audience(values, issuer)
                answers = {
                    admits_token(role, facts, principal, {"sub": subject, "aud": audience})
                    for subject in strange_subjects(values, issuer)
                }
                if answers != {None}:
                    reasons = () if True in answers else (CONDITIONAL,)
                    severity = FindingSeverity.CRITICAL if issuer in SUBJECT_FORMS else None
                    yield RuleProblem(
                        role,
                        trust_evidence(role, facts, principal.text),
                        cause=issuer,
                        severity=severity,
                        reasons=reasons,
                        fix=FindingFix("trust", role.id),
                    )


def _is_limited(values: Mapping[str, list[str]], issuer: str) -> bool:
    """True if a condition on another claim identifies the caller."""
    prefix = fold(f"{issuer}:")
    claims = {key.removeprefix(prefix) for key in values if key.startswith(prefix)}
    if issuer in BY_AUDIENCE and claims & {"aud", "app_id", "oaud"}:
        return True
    return bool(claims - {"sub", "aud"})
