"""Determines who a role lets in through an OpenID Connect provider."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from iam.audit.findings.facts import AccountFacts, EntityFact
from iam.audit.findings.trust import admits, trusted
from iam.policy.letter_case import fold
from iam.policy.trust_principals import TrustPrincipal
from iam.policy.trust_web import EKS, GITHUB

WEB: Final = "sts:AssumeRoleWithWebIdentity"
CONDITIONAL: Final = "other conditions of the trust policy decide"


def web_principals(role: EntityFact, facts: AccountFacts) -> Iterator[TrustPrincipal]:
    """The OpenID Connect providers that the role trusts, without duplicates."""
    seen = set[str]()
    for principal in trusted(role, facts):
        if principal.kind == "web" and principal.text not in seen:
            seen.add(principal.text)
            yield principal


def strange_subject(issuer: str) -> str:
    """A subject that the issuer would give to someone else."""
    if issuer == GITHUB:
        return "repo:someone-else/anything:ref:refs/heads/any"
    if EKS.fullmatch(issuer):
        return "system:serviceaccount:some-namespace:some-name"
    return "someone-else"


def admits_token(
    role: EntityFact, facts: AccountFacts, principal: TrustPrincipal, claims: Mapping[str, Any]
) -> bool | None:
    """Return whether a token with these claims is accepted, as `admits` does. Other claims are unknown."""
    context = {f"{principal.name}:{claim}": value for claim, value in claims.items()}
    return admits(role, facts, principal.text, action=WEB, context=context)


def usual_audience(values: Mapping[str, list[str]], issuer: str) -> str:
    """Return an audience that tokens of other people have as well."""
    audiences = [value for value in values.get(fold(f"{issuer}:aud"), ()) if "*" not in value]
    return audiences[0] if audiences else "sts.amazonaws.com"
