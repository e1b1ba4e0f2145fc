"""Checks Principal and NotPrincipal: where they are allowed, their form, and whom they admit.

Source: "AWS JSON policy elements: Principal",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import re
from typing import Final

from iam.policy.lint.arns import PARTITIONS
from iam.policy.lint.findings import preview, quoted
from iam.policy.lint.kinds import GRANTS, NAMES_PRINCIPALS, LintKind
from iam.policy.lint.view import (
    ConditionTest,
    LintPrincipals,
    LintStatement,
    LintSubject,
    SourceText,
    report_wrong,
)
from iam.policy.request import PROVIDERS

ACCOUNT: Final = re.compile(r"[0-9]{12}")
ARN: Final = re.compile(
    r"arn:(?P<partition>[a-z-]+):(?:iam::(?:[0-9]{12}|cloudfront):(?:root|user/.+|role/.+)"
    r"|sts::[0-9]{12}:(?:assumed-role/.+/.+|federated-user/.+))",
    re.DOTALL,
)
UNIQUE_ID: Final = re.compile(r"(?:AIDA|AROA|AGPA|AIPA|ANPA)[A-Z0-9]{12,}")
SERVICE: Final = re.compile(r"[a-z0-9][a-z0-9.-]*\.(?:amazonaws\.com(?:\.cn)?|amazon\.com|aws\.internal|aws)")
PROVIDER: Final = re.compile(
    r"arn:[a-z-]+:iam::[0-9]{12}:(?:saml-provider/[\w+=,.@-]+|oidc-provider/\S+)", re.ASCII
)
CANONICAL: Final = re.compile(r"[0-9a-f]{64}")
NARROWING: Final = (
    "aws:principal",
    "aws:source",
    "aws:vpc",
    "aws:userid",
    "aws:username",
    "aws:federatedprovider",
    "aws:calledvia",
    "lambda:functionurlauthtype",
    "s3:dataaccesspoint",
    "elasticfilesystem:accessedviamounttarget",
    "kms:calleraccount",
    "kms:viaservice",
    "sns:endpoint",
    "saml:",
    "sts:externalid",
)
"""Prefixes of condition keys that identify the caller or the origin of a request."""
FOR_SERVICES: Final = frozenset(
    {
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:resourceaccount",
    }
)
"""Keys that keep a service from acting for third parties. Source: "The confused deputy problem"."""


def check_principals(subject: LintSubject) -> None:
    """Check every statement, with or without the element."""
    for statement in subject.document.statements:
        _check_presence(statement, subject)
        if statement.principals is None:
            continue
        for kind, word in statement.principals.words():
            _check_form(kind, word, subject)
        if statement.allows and subject.kind in GRANTS:
            _check_width(statement, statement.principals, subject)


def _check_presence(statement: LintStatement, subject: LintSubject) -> None:
    has, wants = statement.principals is not None, subject.kind in NAMES_PRINCIPALS
    if wants and not has:
        subject.report.add(
            "MISSING_PRINCIPAL",
            statement.spot,
            "The statement has no Principal.",
            "Add Principal, with the accounts, users, roles or services it is for.",
        )
    elif statement.principals is not None and not wants:
        code = "SCP_SYNTAX_ERROR_PRINCIPAL" if subject.kind is LintKind.SCP else "UNSUPPORTED_PRINCIPAL"
        subject.report.add(
            code,
            statement.principals.spot,
            "This type of policy can’t have Principal: it applies to whatever it is attached to.",
            "Remove it.",
        )


def _check_form(kind: str, word: SourceText, subject: LintSubject) -> None:
    if "${" in word.text or kind not in _FORMS:
        return
    if word.text == "*" and kind != "CanonicalUser":
        _check_star(kind, word, subject)
    elif word.is_pattern:
        subject.report.add(
            "UNSUPPORTED_WILDCARD_IN_PRINCIPAL",
            word,
            f"{quoted(word.text)} has a wildcard. A principal is * alone, or has no wildcard.",
            "Name the principals, or use * with a condition on aws:PrincipalArn.",
        )
    else:
        _FORMS[kind](word, subject)


def _check_star(kind: str, word: SourceText, subject: LintSubject) -> None:
    if kind == "AWS" or subject.kind is not LintKind.TRUST:
        return
    subject.report.add(
        "UNSUPPORTED_WILDCARD_IN_PRINCIPAL",
        word,
        f"A trust policy can’t trust every {'service' if kind == 'Service' else 'identity provider'}.",
        "Name the ones to trust.",
    )


def _check_aws(word: SourceText, subject: LintSubject) -> None:
    match = ARN.fullmatch(word.text)
    if ACCOUNT.fullmatch(word.text) or (match is not None and match["partition"] in PARTITIONS):
        return
    if UNIQUE_ID.fullmatch(word.text):
        subject.report.add(
            "DELETED_PRINCIPAL",
            word,
            f"{quoted(word.text)} is the unique ID that AWS shows for a deleted user or role.",
            "Remove it. A new user or role with the same name is not the same principal.",
        )
        return
    report_wrong(
        "INVALID_PRINCIPAL_FORMAT",
        word,
        "a principal",
        "Write a 12-digit account ID, or the ARN of an account, user, role or role session.",
        subject,
    )


def _check_service(word: SourceText, subject: LintSubject) -> None:
    if SERVICE.fullmatch(word.text) is None:
        report_wrong(
            "INVALID_SERVICE_PRINCIPAL_FORMAT",
            word,
            "a service principal",
            "Write it like ec2.amazonaws.com.",
            subject,
        )


def _check_federated(word: SourceText, subject: LintSubject) -> None:
    if PROVIDER.fullmatch(word.text) is None and word.text not in PROVIDERS:
        report_wrong(
            "INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY",
            word,
            "an identity provider",
            "Write the ARN of a SAML or OIDC provider of the account.",
            subject,
        )


def _check_canonical(word: SourceText, subject: LintSubject) -> None:
    if CANONICAL.fullmatch(word.text) is None:
        report_wrong(
            "INVALID_PRINCIPAL_FORMAT",
            word,
            "a canonical user ID",
            "Write its 64 hexadecimal digits, or use an account ID under AWS.",
            subject,
        )


_FORMS: Final = {
    "AWS": _check_aws,
    "Service": _check_service,
    "Federated": _check_federated,
    "CanonicalUser": _check_canonical,
}


def _check_width(statement: LintStatement, principals: LintPrincipals, subject: LintSubject) -> None:
    if principals.is_not:
        subject.report.add(
            "ALLOW_WITH_NOT_PRINCIPAL",
            principals.spot,
            "Allow with NotPrincipal gives access to everyone who isn’t named, including strangers.",
            "Use Principal, or use Deny with a condition on aws:PrincipalArn.",
        )
    elif principals.is_everybody:
        if not any(is_narrowing(test) for test in statement.tests):
            subject.report.add(
                "ALLOW_WITH_STAR_IN_PRINCIPAL",
                principals.spot,
                "Everyone on the internet has access, and no condition limits it.",
                "Name the principals, or add a condition on aws:PrincipalOrgID, aws:PrincipalArn or "
                "aws:SourceVpce.",
            )
    elif subject.kind is LintKind.RESOURCE and principals.named.get("Service"):
        _check_service_width(statement, principals, subject)


def is_narrowing(test: ConditionTest) -> bool:
    """Return True if a test identifies the caller and fails for a request without the key."""
    is_positive = "not" not in test.base and not test.if_exists and test.quantifier != "forallvalues"
    is_anything = all(value.text.strip("*") == "" for value in test.values)
    return bool(
        test.base
        and test.base != "null"
        and is_positive
        and not is_anything
        and test.name.startswith(NARROWING)
    )


def _check_service_width(statement: LintStatement, principals: LintPrincipals, subject: LintSubject) -> None:
    if any(test.name in FOR_SERVICES for test in statement.tests):
        return
    names = ", ".join(preview(word.text) for word in principals.named["Service"][:3])
    subject.report.add(
        "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL",
        principals.spot,
        f"{names} can use this on behalf of any AWS account.",
        "Add a condition on aws:SourceArn, aws:SourceAccount or aws:SourceOrgID.",
    )
