"""Describes web identity subjects in words: GitHub Actions, EKS service accounts, GitLab, Terraform, Cognito
and others.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from iam.policy.letter_case import fold
from iam.policy.trust_conditions import WITHOUT_WILDCARDS, TrustRequirement, one_of

GITHUB = "token.actions.githubusercontent.com"
EKS = re.compile(r"oidc\.eks\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/id/([A-Za-z0-9]+)")
COGNITO = "cognito-identity.amazonaws.com"
SHARED = {
    GITHUB: "GitHub Actions",
    "gitlab.com": "GitLab CI",
    "app.terraform.io": "HCP Terraform",
    "accounts.google.com": "Google",
    COGNITO: "Amazon Cognito",
    "graph.facebook.com": "Facebook",
    "www.amazon.com": "Login with Amazon",
}
"""Issuers with users worldwide: without a condition on the subject, any of them can assume the role."""


@dataclass(frozen=True, slots=True)
class WebSubject:
    """A web identity subject in words. `phrase` follows `who`, `note` is shown below, and `tone` is ok, warn
    (wide) or bad (open).
    """

    who: str
    phrase: str = ""
    note: str = ""
    tone: str = "ok"


def is_eks(issuer: str) -> bool:
    """Return True if the provider is that of an EKS cluster."""
    return EKS.fullmatch(issuer) is not None


def issuer_words(issuer: str) -> str:
    """Return the provider's name for people."""
    if match := EKS.fullmatch(issuer):
        return f"the EKS cluster {match[2][:8]}… in {match[1]}"
    return SHARED.get(issuer, issuer)


def read_subjects(
    issuer: str, tests: tuple[TrustRequirement, ...]
) -> tuple[list[WebSubject], set[TrustRequirement]]:
    """Return the subjects that an issuer's tests admit, and the tests that this explains."""
    about = [test for test in tests if test.name == fold(f"{issuer}:sub")]
    asking = [test for test in about if test.asks_for]
    if len(asking) != 1 or len(about) != 1:
        return [_without_subject(issuer, asking, about)], set(asking)
    test = asking[0]
    words = _reader(issuer)
    subjects = []
    for value in test.values:
        if test.bare_operator in WITHOUT_WILDCARDS and ("*" in value or "?" in value):
            note = f"{test.operator} doesn’t support wildcards, so no token matches {value}"
            subjects.append(WebSubject(f"No one, by the subject {value}", note=note, tone="warn"))
        else:
            subjects.append(words(issuer, value))
    return subjects, {test}


def _without_subject(
    issuer: str, asking: list[TrustRequirement], about: list[TrustRequirement]
) -> WebSubject:
    name = issuer_words(issuer)
    if asking:
        wanted = " and ".join(one_of(test.values) for test in asking)
        return WebSubject(f"Web identities of {name}", f"with the subject {wanted}", tone="warn")
    if about:
        return WebSubject(
            f"Web identities of {name}",
            note="The subject is limited only by the conditions below",
            tone="warn",
        )
    if issuer == GITHUB:
        return WebSubject(
            "Every GitHub Actions run in the world", note="There’s no subject condition", tone="bad"
        )
    if issuer == COGNITO:
        return WebSubject("Identities of Amazon Cognito", tone="ok")
    if issuer in SHARED:
        return WebSubject(
            f"Everyone with an identity at {name}", note="There’s no subject condition", tone="bad"
        )
    if EKS.fullmatch(issuer):
        return WebSubject(f"Every pod of {name}", note="There’s no subject condition", tone="warn")
    return WebSubject(
        f"Everyone with an identity at {name}", note="There’s no subject condition", tone="warn"
    )


def _reader(issuer: str) -> Callable[[str, str], WebSubject]:
    if issuer == GITHUB:
        return _github
    if EKS.fullmatch(issuer):
        return _eks
    if issuer == "app.terraform.io":
        return _terraform
    if issuer.startswith("gitlab."):
        return _gitlab
    return _plain


def _plain(issuer: str, value: str) -> WebSubject:
    name = issuer_words(issuer)
    if value == "*":
        tone = "bad" if issuer in SHARED else "warn"
        return WebSubject(
            f"Everyone with an identity at {name}", note="The subject can be anything", tone=tone
        )
    tone = "warn" if "*" in value else "ok"
    return WebSubject(f"A web identity of {name}", f"with the subject {value}", tone=tone)


def _github(issuer: str, value: str) -> WebSubject:
    """Describe a GitHub Actions subject.

    https://docs.github.com/en/actions/reference/security/oidc
    """
    match = re.fullmatch(r"repo:([^:/]*)/([^:]*)(?::(.*))?", value)
    if not match or match[1] in {"", "*"}:
        if value in {"*", "repo:*"} or (match and match[1] == "*"):
            note = f"The subject {value} matches every repository of every owner"
            return WebSubject("Every GitHub Actions run in the world", note=note, tone="bad")
        tone = "warn" if "*" in value else "ok"
        return WebSubject("GitHub Actions", f"with the subject {value}", tone=tone)
    owner, repository, context = match[1], match[2], match[3]
    if "*" in owner:
        who = f"GitHub Actions of every owner like {owner}"
        return WebSubject(who, note="Anyone can create an owner with such a name", tone="bad")
    whole = repository == "*"
    who = (
        f"GitHub Actions of every repository of {owner}"
        if whole
        else f"GitHub Actions of {owner}/{repository}"
    )
    phrase, wide = _github_context(context, ends_open="*" in repository)
    tone = "warn" if wide or "*" in repository else "ok"
    return WebSubject(who, phrase, tone=tone)


def _github_context(context: str | None, *, ends_open: bool) -> tuple[str, bool]:
    everything = "on any branch and from any pull request"
    if context is None:
        return (everything, True) if ends_open else ("but no run matches: the subject is incomplete", True)
    if context == "*":
        return everything, True
    if context == "pull_request":
        return "from pull requests", True
    for start, words in (
        ("environment:", "in the environment {}"),
        ("ref:refs/heads/", "on the branch {}"),
        ("ref:refs/tags/", "on the tag {}"),
    ):
        if context.startswith(start):
            name = context[len(start) :]
            if name == "*":
                return words.replace(" the ", " any ").format("").strip(), True
            return words.format(name), "*" in name
    return f"in the context {context}", "*" in context


def _eks(issuer: str, value: str) -> WebSubject:
    """Describe the subject of an EKS service account.

    https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html
    """
    cluster = issuer_words(issuer)
    match = re.fullmatch(r"system:serviceaccount:([^:]+):([^:]+)", value)
    if not match:
        if value == "*" or value.startswith("system:serviceaccount:*"):
            return WebSubject(f"Every pod of {cluster}", note="The subject can be anything", tone="warn")
        return WebSubject(f"Pods of {cluster}", f"with the subject {value}", tone="warn")
    namespace, account = match[1], match[2]
    if namespace == "*":
        return WebSubject(
            f"Pods of {cluster}", f"with the service account {account} in any namespace", tone="warn"
        )
    if account == "*":
        return WebSubject(f"Every pod in the namespace {namespace} of {cluster}", tone="warn")
    tone = "warn" if "*" in value else "ok"
    return WebSubject(
        f"Pods with the service account {account}", f"in the namespace {namespace} of {cluster}", tone=tone
    )


def _gitlab(issuer: str, value: str) -> WebSubject:
    """Describe a GitLab CI subject.

    https://docs.gitlab.com/ci/cloud_services/aws/
    """
    match = re.fullmatch(r"project_path:([^:]+)(?::ref_type:([^:]+):ref:(.+))?", value)
    if not match:
        return _plain(issuer, value)
    project, sort, ref = match[1], match[2], match[3]
    if not ref:
        phrase = "on any branch or tag"
    elif ref == "*":
        phrase = f"on any {sort}"
    else:
        phrase = f"on the {sort} {ref}"
    tone = "warn" if "*" in value or not ref else "ok"
    return WebSubject(f"GitLab CI of {project}", phrase, tone=tone)


def _terraform(issuer: str, value: str) -> WebSubject:
    """Describe an HCP Terraform subject.

    https://developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/aws-configuration
    """
    match = re.fullmatch(r"organization:([^:]+):project:([^:]+):workspace:([^:]+):run_phase:(.+)", value)
    if not match or match[1] == "*":
        return _plain(issuer, value)
    organization, project, workspace, phase = match.groups()
    where = "every workspace" if workspace == "*" else f"the workspace {workspace}"
    if project != "*":
        where += f" of the project {project}"
    runs = "" if phase == "*" else f", in the phase {phase}"
    tone = "warn" if workspace == "*" or "*" in project + workspace else "ok"
    return WebSubject(f"HCP Terraform of {organization}", f"in {where}{runs}", tone=tone)
