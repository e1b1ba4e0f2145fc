"""Checks what SCPs and RCPs can't contain.

Sources: "SCP syntax" and "RCP syntax" in the AWS Organizations User Guide. SCPs have supported the whole
policy language except Principal since September 2025.
"""

from __future__ import annotations

from iam.policy.letter_case import fold
from iam.policy.lint.findings import preview
from iam.policy.lint.kinds import LintKind
from iam.policy.lint.view import LintStatement, LintSubject


def check_organization(subject: LintSubject) -> None:
    """Check RCPs. The check of principals covers the missing Principal of SCPs."""
    if subject.kind is not LintKind.RCP or _is_aws_own(subject):
        return
    for statement in subject.document.statements:
        _check_effect(statement, subject)
        _check_principals(statement, subject)
        _check_actions(statement, subject)


def _is_aws_own(subject: LintSubject) -> bool:
    """Return True for RCPFullAWSAccess, which AWS attaches everywhere and only AWS can write."""
    statements = subject.document.statements
    return len(statements) == 1 and all(
        statement.allows
        and statement.actions is not None
        and statement.actions.has_star
        and statement.resources is not None
        and statement.resources.has_star
        and statement.principals is not None
        and statement.principals.is_everybody
        for statement in statements
    )


def _check_effect(statement: LintStatement, subject: LintSubject) -> None:
    if statement.allows and statement.effect is not None:
        subject.report.add(
            "RCP_SYNTAX_ERROR_ALLOW",
            statement.effect,
            "An RCP can’t have Allow: it only denies.",
            "Change Effect to Deny, or remove the statement.",
        )


def _check_principals(statement: LintStatement, subject: LintSubject) -> None:
    principals = statement.principals
    if principals is None:
        return
    if principals.is_not:
        subject.report.add(
            "RCP_SYNTAX_ERROR_NOT_PRINCIPAL",
            principals.spot,
            "An RCP can’t have NotPrincipal.",
            'Write "Principal": "*", and use conditions for exceptions.',
        )
    elif not principals.is_everybody:
        subject.report.add(
            "RCP_SYNTAX_ERROR_PRINCIPAL",
            principals.spot,
            "An RCP can’t name principals: it applies to everyone.",
            'Write "Principal": "*", and limit it with conditions.',
        )


def _check_actions(statement: LintStatement, subject: LintSubject) -> None:
    if statement.actions is None:
        return
    if statement.actions.is_not:
        subject.report.add(
            "RCP_SYNTAX_ERROR_NOT_ACTION",
            statement.actions.spot,
            "An RCP can’t have NotAction.",
            "Use Action, and name the actions.",
        )
        return
    services = subject.catalogue.rcp_services
    for word in statement.actions.words:
        prefix = word.text.partition(":")[0]
        if word.text.strip("*") == "":
            subject.report.add(
                "RCP_SYNTAX_ERROR_ACTION_WILDCARD",
                word,
                "An RCP can’t cover every action of every service.",
                "Write one entry for each service, such as s3:*.",
            )
        elif fold(prefix) not in services and subject.catalogue.has_service(prefix):
            subject.report.add(
                "RCP_SYNTAX_ERROR_SERVICE_IN_ACTION",
                word,
                f"RCPs don’t apply to {preview(prefix)}.",
                "Remove it. The AWS Organizations User Guide lists the services that support RCPs.",
            )
