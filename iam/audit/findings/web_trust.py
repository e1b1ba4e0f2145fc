"""Determines who a role lets in through an OpenID Connect provider."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

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
GITLAB: Final = "gitlab.com"
GITLAB_PREFIX: Final = "gitlab."


class SubjectShape(NamedTuple):
    """The form of subjects at an issuer where anyone can register an owner. `prefix` is what comes before the
    owner, and `fillings` are what a wildcard can stand for from the owner on.
    """

    prefix: str
    form: re.Pattern[str]
    example: str
    fillings: tuple[str, ...]


SUBJECT_FORMS: Final[Mapping[str, SubjectShape]] = {
    GITHUB: SubjectShape(
        "repo:",
        re.compile(r"repo:[^/:]+/[^/:]+:.+"),
        "repo:someone-else/anything:ref:refs/heads/any",
        ("x/x", "x/x:ref:refs/heads/x"),
    ),
    GITLAB: SubjectShape(
        "project_path:",
        re.compile(r"project_path:[^:]+/[^:]+:ref_type:[^:]+:ref:.+"),
        "project_path:someone-else/anything:ref_type:branch:ref:any",
        ("x/x", "x/x:ref_type:branch:ref:x"),
    ),
    "app.terraform.io": SubjectShape(
        "organization:",
        re.compile(r"organization:[^:]+:project:[^:]+:workspace:[^:]+:run_phase:.+"),
        "organization:someone-else:project:anything:workspace:anything:run_phase:apply",
        ("x:project:x:workspace:x:run_phase:x",),
    ),
}
"""Sources: "OpenID Connect reference" of GitHub, "ID token authentication" of GitLab, "Workload identity
tokens" of HCP Terraform.
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
    if issuer in SUBJECT_FORMS:
        return SUBJECT_FORMS[issuer].example
    if issuer.startswith(GITLAB_PREFIX):
        return SUBJECT_FORMS[GITLAB].example
    if EKS.fullmatch(issuer):
        return "system:serviceaccount:some-namespace:some-name"
    return "someone-else"


def strange_subjects(values: Mapping[str, list[str]], issuer: str) -> list[str]:
    """Return subjects that the issuer would give to someone else: any one, and one for each condition that
    leaves the owner open, such as `repo:north*/pay:*`.

    `values` are the values of the conditions by key in lower case.
    """
    subjects = [strange_subject(issuer)]
    if issuer in SUBJECT_FORMS:
        for pattern in values.get(fold(f"{issuer}:sub"), ()):
            subjects += _with_another_owner(pattern, SUBJECT_FORMS[issuer])
    return subjects


def _with_another_owner(pattern: str, subject: SubjectShape) -> Iterator[str]:
    """Yield subjects that match the pattern, with an owner that anyone can register."""
    start = re.match(r"[^*?]*", pattern)
    head = start[0] if start else ""
    if len(head) < len(subject.prefix):
        if not subject.prefix.startswith(head):
            return
        owner = subject.prefix
    elif head.startswith(subject.prefix) and not set("/:") & set(head.removeprefix(subject.prefix)):
        owner = head
    else:
        return
    rest = pattern[len(head) + 1 :].replace("*", "x").replace("?", "x")
    candidates = [f"{owner}{filling}{rest}" for filling in ("x", *subject.fillings)]
    yield from (candidate for candidate in candidates if subject.form.fullmatch(candidate))


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
