"""Determines who a role lets in through an OpenID Connect provider."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from iam.audit.findings.facts import AccountFacts, EntityFact
from iam.audit.findings.trust import admits, condition_values, trusted
from iam.policy.glob import compile_glob
from iam.policy.letter_case import fold
from iam.policy.trust_principals import TrustPrincipal
from iam.policy.trust_web import COGNITO, EKS, GITHUB

WEB: Final = "sts:AssumeRoleWithWebIdentity"
CONDITIONAL: Final = "other conditions of the trust policy decide"
GUEST: Final = "unauthenticated"
"""The value of `amr` in tokens of Cognito for those who haven't signed in. Source: "IAM roles" of Cognito,
"Role trust and permissions".
"""
SOME_POOL: Final = "us-east-1:00000000-0000-0000-0000-000000000000"


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


def admits_guests(role: EntityFact, facts: AccountFacts, principal: TrustPrincipal, pool: str) -> bool | None:
    """Return whether the role lets in guests of an identity pool of Cognito, as `admits` does."""
    claims = {"amr": [GUEST], "aud": pool, "sub": strange_subject(COGNITO)}
    return admits_token(role, facts, principal, claims)


def identity_pools(role: EntityFact, facts: AccountFacts) -> list[str]:
    """Return the identity pools that the conditions name; a pattern stands for one of its pools."""
    values = condition_values(role, facts).get(f"{COGNITO}:aud", [])
    return [value.replace("*", "x").replace("?", "x") for value in values]


def names_guests(values: Mapping[str, list[str]]) -> bool:
    """Return whether conditions, by key in lower case, name guests of Cognito."""
    return any(compile_glob(value)(GUEST) for value in values.get(f"{COGNITO}:amr", ()))
