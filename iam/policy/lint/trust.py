"""Checks trust policies: whether the actions fit the principals, and whether required conditions are missing
that keep strangers from assuming the role.

Sources: "Create a role for OpenID Connect federation"; "Create a role for SAML 2.0 federation"; "Configuring
a role for GitHub OIDC identity provider" in the IAM User Guide.
"""

from __future__ import annotations

from typing import Final

from iam.policy.evaluate import ASSUMING
from iam.policy.letter_case import fold
from iam.policy.lint.findings import preview, quoted
from iam.policy.lint.kinds import LintKind
from iam.policy.lint.view import ConditionTest, LintPrincipals, LintStatement, LintSubject, SourceText

ACTIONS: Final = ASSUMING | {"sts:setcontext"}
"""The actions that IAM allows in a trust policy."""
CALLS: Final = {
    "sts:assumerole": "an account, a principal or a service",
    "sts:assumerolewithsaml": "a SAML provider",
    "sts:assumerolewithwebidentity": "an OIDC provider",
}
GITHUB: Final = "token.actions.githubusercontent.com"
COGNITO: Final = "cognito-identity.amazonaws.com"
SUBJECT_KEYS: Final = {
    COGNITO: ("aud", "sub"),
    "accounts.google.com": ("aud", "sub", "oaud", "email"),
    "www.amazon.com": ("app_id", "user_id"),
    "graph.facebook.com": ("app_id", "id"),
    GITHUB: (
        "sub",
        "repository",
        "repository_id",
        "repository_owner_id",
        "job_workflow_ref",
        "enterprise_id",
    ),
}
"""The keys of which at least one must be required. For other OIDC providers it is the subject."""


def check_trust(subject: LintSubject) -> None:
    """Check trust policies; other kinds are skipped."""
    if subject.kind is not LintKind.TRUST:
        return
    for statement in subject.document.statements:
        _check_elements(statement, subject)
        if statement.allows and statement.principals is not None and not statement.principals.is_not:
            _check_calls(statement, statement.principals, subject)
            for word in statement.principals.named.get("Federated", ()):
                _check_provider(word, statement, subject)


def _check_elements(statement: LintStatement, subject: LintSubject) -> None:
    if statement.resources is not None:
        subject.report.add(
            "INVALID_POLICY_ELEMENT",
            statement.resources.spot,
            "A trust policy can’t have Resource: it always applies to its own role.",
            "Remove it.",
        )
    for word in statement.actions.words if statement.actions else ():
        if fold(word.text) not in ACTIONS and not (word.is_pattern and statement.denies):
            subject.report.add(
                "UNSUPPORTED_ACTION_IN_POLICY",
                word,
                f"A trust policy can’t have the action {quoted(word.text)}.",
                "Use sts:AssumeRole, sts:AssumeRoleWithSAML, sts:AssumeRoleWithWebIdentity, sts:TagSession "
                "or sts:SetSourceIdentity.",
            )


def _is_saml(word: SourceText) -> bool:
    return ":saml-provider/" in word.text


def _check_calls(statement: LintStatement, principals: LintPrincipals, subject: LintSubject) -> None:
    """Check that each assuming action has a principal that can call it."""
    federated = principals.named.get("Federated", ())
    others = [word for kind, word in principals.words() if kind != "Federated"]
    can = {
        "sts:assumerole": bool(others),
        "sts:assumerolewithsaml": any(_is_saml(word) for word in federated) or _has_star(others),
        "sts:assumerolewithwebidentity": any(not _is_saml(word) for word in federated) or _has_star(others),
    }
    if not others and not federated:
        return
    for word in statement.actions.words if statement.actions and not statement.actions.is_not else ():
        wanted = fold(word.text)
        if wanted in CALLS and not can[wanted]:
            subject.report.add(
                "MISMATCHED_ACTION_FOR_PRINCIPAL",
                word,
                f"{word.text} needs {CALLS[wanted]} as principal, and the statement has none.",
                "Use the action that matches the principal.",
            )


def _has_star(words: list[SourceText]) -> bool:
    return any(word.text == "*" for word in words)


def _check_provider(word: SourceText, statement: LintStatement, subject: LintSubject) -> None:
    if _is_saml(word):
        _check_saml(word, statement, subject)
    elif _calls(statement, "sts:assumerolewithwebidentity"):
        _check_web_identity(word, statement, subject)


def _calls(statement: LintStatement, action: str) -> bool:
    return statement.actions is not None and any(
        fold(word.text) == action for word in statement.actions.words
    )


def _check_saml(word: SourceText, statement: LintStatement, subject: LintSubject) -> None:
    if _calls(statement, "sts:assumerolewithsaml") and not _asks(statement, {"saml:aud", "saml:recipient"}):
        subject.report.add(
            "MISSING_SAML_AUDIENCE",
            word,
            "No condition checks the audience of the SAML assertion, so assertions made for other services "
            "are accepted too.",
            'Add "StringEquals": {"saml:aud": "https://signin.aws.amazon.com/saml"}.',
        )


def _check_web_identity(word: SourceText, statement: LintStatement, subject: LintSubject) -> None:
    host = fold(word.text.partition(":oidc-provider/")[2] or word.text)
    names = SUBJECT_KEYS.get(host.partition("/")[0], ("sub",))
    keys = {f"{host}:{name}" for name in names}
    if not _asks(statement, keys):
        code = "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPALS"
        message = f"Anyone with an account at {preview(host)} can assume the role."
        if host.startswith(GITHUB):
            code = "MISSING_GITHUB_REPO_CONDITION_KEY"
            message = "Every repository on GitHub can assume the role."
        subject.report.add(code, word, message, f"Add a condition on {host}:{names[0]}.")
    elif host.startswith(GITHUB):
        _check_github(f"{host}:sub", statement, subject)


def _asks(statement: LintStatement, keys: set[str]) -> bool:
    """Return True if a request that lacks all of the keys, or has an arbitrary value, is rejected."""
    return any(test.name in keys and _is_strict(test) for test in statement.tests)


def _is_strict(test: ConditionTest) -> bool:
    is_positive = test.base.startswith(("string", "arn")) and "not" not in test.base
    is_required = not test.if_exists and test.quantifier != "forallvalues"
    return is_positive and is_required and not any(_is_anything(value.text) for value in test.values)


def _is_anything(value: str) -> bool:
    """Return True for patterns that allow any GitHub organization, or anything."""
    owner = value.removeprefix("repo:")
    return value.strip("*?") == "" or (owner != value and owner.startswith("*"))


def _check_github(key: str, statement: LintStatement, subject: LintSubject) -> None:
    for test in statement.tests:
        for value in test.values if test.name == key and _is_strict(test) else ():
            if not value.is_pattern:
                continue
            subject.report.add(
                "SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED",
                value,
                f"{quoted(value.text)} lets every matching branch, pull request or repository assume the "
                "role.",
                "Name the repository and the branch, such as repo:ORG/REPO:ref:refs/heads/main.",
            )
